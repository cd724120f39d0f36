"""Byte-pair encoding: Sennrich et al. (2016), section 3.2, with a mark at the start of words."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import tokenizers
from tokenizers import models, trainers

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.base import (
    TokenizerRecipe,
    check_alphabet,
    check_min_frequency,
    check_vocabulary_size,
    learn,
    spaced_words,
)
from tandem.data.tokenizers.cutters import BPEDropout
from tandem.data.tokenizers.tokenizer import INNER_SPECIALS, PIECES, Tokenizer


@dataclass(frozen=True, kw_only=True)
class BPETokenizer(TokenizerRecipe):
    """Merges the most frequent pair of pieces again and again; a new character is unknown.

    :param vocabulary_size: at most so many ids: special symbols, characters and merges.
    :param min_frequency: pairs seen more rarely are not merged.
    :param dropout: see :class:`BPEDropout`; 0 cuts training texts as all others.
    """

    vocabulary_size: int
    min_frequency: int
    dropout: float = field(repr=False)  # changes nothing that is learnt

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        check_vocabulary_size(self.vocabulary_size)
        check_min_frequency(self.min_frequency)
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"The tokenizer's `dropout` ({self.dropout}) must be at least 0 and below 1."
            )

    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Learn the merges."""
        inner = tokenizers.Tokenizer(models.BPE(unk_token=INNER_SPECIALS[SPECIAL_IDS.unk]))
        inner.normalizer = self.normalizer()
        inner.pre_tokenizer = spaced_words()
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocabulary_size,
            min_frequency=self.min_frequency,
            special_tokens=list(INNER_SPECIALS),
            show_progress=False,
        )
        trained = learn(inner, trainer, texts)
        check_alphabet(trained, self.vocabulary_size)
        return Tokenizer(trained, spelling=PIECES)

    def cutter(self, tokenizer: Tokenizer) -> BPEDropout | None:
        """Drop merges, if that is wanted."""
        return BPEDropout(tokenizer, dropout=self.dropout) if self.dropout else None
