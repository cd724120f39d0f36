"""WordPiece: pieces learnt by merging, words cut by the longest match from the left."""

from collections.abc import Iterable
from dataclasses import dataclass

import tokenizers
from tokenizers import models, trainers

from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.base import (
    TokenizerRecipe,
    check_alphabet,
    check_min_frequency,
    check_vocabulary_size,
    learn,
    spaced_words,
)
from tandem.data.tokenizers.tokenizer import INNER_SPECIALS, WORD_PIECES, Tokenizer


@dataclass(frozen=True, kw_only=True)
class WordPieceTokenizer(TokenizerRecipe):
    """Cuts words greedily; a word with a new character is unknown as a whole.

    A space marks the start of a word, in place of BERT's ``##`` on every other piece, so that a
    text which has ``##`` of its own comes back unchanged.

    :param vocabulary_size: at most so many ids: special symbols, characters and merges.
    :param min_frequency: pairs seen more rarely are not merged.
    """

    vocabulary_size: int
    min_frequency: int

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        check_vocabulary_size(self.vocabulary_size)
        check_min_frequency(self.min_frequency)

    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Learn the pieces."""
        model = models.WordPiece(
            vocab={},
            unk_token=INNER_SPECIALS[SPECIAL_IDS.unk],
            max_input_chars_per_word=1000,
            continuing_subword_prefix="",
        )
        inner = tokenizers.Tokenizer(model)
        inner.normalizer = self.normalizer()
        inner.pre_tokenizer = spaced_words()
        trainer = trainers.WordPieceTrainer(
            vocab_size=self.vocabulary_size,
            min_frequency=self.min_frequency,
            special_tokens=list(INNER_SPECIALS),
            continuing_subword_prefix="",
            show_progress=False,
        )
        trained = learn(inner, trainer, texts)
        check_alphabet(trained, self.vocabulary_size)
        return Tokenizer(trained, spelling=WORD_PIECES)
