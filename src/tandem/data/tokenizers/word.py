"""Words: whatever stands between whitespace."""

from collections.abc import Iterable
from dataclasses import dataclass

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.base import (
    TokenizerRecipe,
    check_min_frequency,
    check_vocabulary_size,
    learn,
)
from tandem.data.tokenizers.tokenizer import INNER_SPECIALS, WORDS, Tokenizer


@dataclass(frozen=True, kw_only=True)
class WordTokenizer(TokenizerRecipe):
    """Keeps the most frequent words.

    :param vocabulary_size: at most so many ids, special symbols included.
    :param min_frequency: words seen more rarely are unknown.
    """

    vocabulary_size: int
    min_frequency: int

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        check_vocabulary_size(self.vocabulary_size)
        check_min_frequency(self.min_frequency)

    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Count words."""
        unknown = INNER_SPECIALS[SPECIAL_IDS.unk]
        inner = tokenizers.Tokenizer(models.WordLevel(vocab={}, unk_token=unknown))
        inner.normalizer = self.normalizer()
        inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        trainer = trainers.WordLevelTrainer(
            vocab_size=self.vocabulary_size,
            min_frequency=self.min_frequency,
            special_tokens=list(INNER_SPECIALS),
            show_progress=False,
        )
        return Tokenizer(learn(inner, trainer, texts), spelling=WORDS)
