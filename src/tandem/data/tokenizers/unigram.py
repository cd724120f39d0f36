"""Unigram language model over pieces: Kudo (2018), section 3.2."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.base import changed, check_room, learn
from tandem.data.tokenizers.cutters import UnigramSampling
from tandem.data.tokenizers.pieces import PieceRecipe
from tandem.data.tokenizers.tokenizer import INNER_SPECIALS, PIECES, Tokenizer, words_of

WORD_END = "\U0010ffff"
"""Unicode reserves this code point for uses within a program; it is never in the vocabulary."""
BETWEEN = "\U0010fffe"
"""Stands between words while pieces are learnt; reserved, too."""


@dataclass(frozen=True, kw_only=True)
class UnigramTokenizer(PieceRecipe):
    """Cuts a word into its most probable pieces.

    :param sampling_alpha: see :class:`UnigramSampling`; None cuts training texts as all others.
    """

    sampling_alpha: float | None = field(repr=False)  # changes nothing that is learnt

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        if self.sampling_alpha is not None and self.sampling_alpha < 0:
            raise InputError(
                f"The tokenizer's `sampling_alpha` ({self.sampling_alpha}) must be at least 0, or "
                "null for no sampling."
            )

    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Learn pieces and their probabilities."""
        inner = self.untrained(models.Unigram())
        learner = tokenizers.Tokenizer(models.Unigram())
        learner.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(BETWEEN)
        trainer = trainers.UnigramTrainer(
            vocab_size=self.learnt_size + 1,  # one more for the word end, which goes below
            special_tokens=list(INNER_SPECIALS),
            unk_token=INNER_SPECIALS[SPECIAL_IDS.unk],
            show_progress=False,
        )
        characters: set[str] = set()
        words = (words_of(inner, text) for text in texts)
        try:
            trained = learn(learner, trainer, _with_word_ends(words, characters))
        except Exception as error:  # the library raises no narrower type
            if "not large enough" not in str(error):
                raise
            check_room(len(characters), self.vocabulary_size, byte_fallback=self.byte_fallback)
            raise
        check_room(len(characters), self.vocabulary_size, byte_fallback=self.byte_fallback)
        inner.model = changed(trained, self._settle).model
        return Tokenizer(inner, spelling=PIECES)

    def cutter(self, tokenizer: Tokenizer) -> UnigramSampling | None:
        """Draw among cuts, if that is wanted."""
        if self.sampling_alpha is None:
            return None
        return UnigramSampling(tokenizer, alpha=self.sampling_alpha)

    def _settle(self, record: dict[str, Any]) -> None:
        """Take the mark out, make the scores the same for the same texts, and add the bytes.

        The library adds up in an order that changes from run to run, so that the last digits
        differ, and gives rare characters the lowest score plus steps of 0.0001 in any order. Here
        scores are rounded, and these characters all get the lowest one. It also keeps too many
        pieces where there is only room for characters.
        """
        vocabulary = record["model"]["vocab"]
        special, learnt = vocabulary[: len(INNER_SPECIALS)], vocabulary[len(INNER_SPECIALS) :]
        scores = {piece: score for piece, score in learnt if piece != WORD_END}
        lowest = min(scores.values(), default=0.0)
        rare = lowest + 0.0001 * (1 + sum(len(piece) == 1 for piece in scores))
        settled = [
            [piece, round(lowest if len(piece) == 1 and score < rare else score, 6)]
            for piece, score in scores.items()
        ]
        settled.sort(key=lambda entry: (len(entry[0]) > 1, -entry[1], entry[0]))
        del settled[self.learnt_size - len(special) :]
        settled.sort(key=lambda entry: (-entry[1], entry[0]))
        # The library scores <unk> by the lowest score, so bytes must not have a lower one.
        settled += [[symbol, round(lowest, 6)] for symbol in self.byte_symbols()]
        record["model"]["vocab"] = special + settled


def _with_word_ends(words: Iterable[list[str]], characters: set[str]) -> Iterator[str]:
    """Yield each text twice, once with a mark at the end of each word; note the characters.

    The library takes its first pieces from strings that are followed by different characters. The
    end of a word always counts as the same one, so without the mark whole words could not become
    pieces, and texts would be a fifth longer in tokens.
    """
    for text in words:
        characters.update(*text)
        yield BETWEEN.join(text)
        yield BETWEEN.join(f"{word}{WORD_END}" for word in text)
