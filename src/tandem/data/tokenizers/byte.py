"""Bytes of UTF-8: a fixed vocabulary in which nothing is unknown."""

from collections.abc import Iterable
from dataclasses import dataclass

import tokenizers
from tokenizers import models, pre_tokenizers

from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.base import TokenizerRecipe
from tandem.data.tokenizers.tokenizer import BYTES, INNER_SPECIALS, Tokenizer


@dataclass(frozen=True, kw_only=True)
class ByteTokenizer(TokenizerRecipe):
    """Gives byte b the id b + 4; 260 ids with the special symbols."""

    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Return the tokenizer; there is nothing to learn, so the texts are not read."""
        symbols = [*INNER_SPECIALS, *_printable_bytes()]
        vocabulary = {symbol: i for i, symbol in enumerate(symbols)}
        # BPE without merges is the library's fastest way to cut a text into single symbols.
        model = models.BPE(
            vocab=vocabulary, merges=[], unk_token=INNER_SPECIALS[SPECIAL_IDS.unk], cache_capacity=0
        )
        inner = tokenizers.Tokenizer(model)
        inner.normalizer = self.normalizer()
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        return Tokenizer(inner, spelling=BYTES)


def _printable_bytes() -> list[str]:
    """Return the character by which the library writes each byte, in order of the bytes.

    Visible Latin-1 characters stand for themselves and the rest follow from U+0100 on, a rule that
    byte-level vocabularies share since GPT-2.
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = iter(range(0x100, 0x200))
    return [chr(byte if byte in visible else next(hidden)) for byte in range(256)]
