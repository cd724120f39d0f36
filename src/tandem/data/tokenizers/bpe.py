"""Byte-pair encoding: Sennrich et al. (2016), section 3.2, with a mark at the start of words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tokenizers import models, trainers

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.base import changed, check_alphabet, check_min_frequency, learn
from tandem.data.tokenizers.cutters import BPEDropout
from tandem.data.tokenizers.pieces import PieceRecipe
from tandem.data.tokenizers.tokenizer import INNER_SPECIALS, PIECES, Tokenizer


@dataclass(frozen=True, kw_only=True)
class BPETokenizer(PieceRecipe):
    """Merges the most frequent pair of pieces again and again.

    :param min_frequency: pairs seen more rarely are not merged.
    :param dropout: see :class:`BPEDropout`; 0 cuts training texts as all others.
    """

    min_frequency: int
    dropout: float = field(repr=False)  # changes nothing that is learnt

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        check_min_frequency(self.min_frequency)
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"The tokenizer's `dropout` ({self.dropout}) must be at least 0 and below 1."
            )

    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Learn the merges."""
        inner = self.untrained(models.BPE(unk_token=INNER_SPECIALS[SPECIAL_IDS.unk]))
        trainer = trainers.BpeTrainer(
            vocab_size=self.learnt_size,
            min_frequency=self.min_frequency,
            special_tokens=list(INNER_SPECIALS),
            show_progress=False,
        )
        trained = learn(inner, trainer, texts)
        check_alphabet(trained, self.vocabulary_size, byte_fallback=self.byte_fallback)
        return Tokenizer(changed(trained, self._add_bytes), spelling=PIECES)

    def _add_bytes(self, record: dict[str, Any]) -> None:
        vocabulary: dict[str, int] = record["model"]["vocab"]
        vocabulary |= {
            symbol: i for i, symbol in enumerate(self.byte_symbols(), start=len(vocabulary))
        }

    def cutter(self, tokenizer: Tokenizer) -> BPEDropout | None:
        """Drop merges, if that is wanted."""
        return BPEDropout(tokenizer, dropout=self.dropout) if self.dropout else None
