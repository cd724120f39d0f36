"""Pieces of words and of blanks, which spell every text: what BPE and the unigram model share."""

from dataclasses import dataclass

import tokenizers
from tokenizers import Regex, models, normalizers, pre_tokenizers

from tandem.data.tokenizers.base import TokenizerRecipe, check_vocabulary_size
from tandem.data.tokenizers.parts import LEAD, WORD_OR_BLANKS
from tandem.data.tokenizers.tokenizer import BYTE_SYMBOLS


@dataclass(frozen=True, kw_only=True)
class PieceRecipe(TokenizerRecipe):
    """Cuts words with the space in front of them, and other whitespace, into pieces.

    :param vocabulary_size: at most so many ids: special symbols, bytes, characters, longer pieces.
    :param byte_fallback: whether a character that training lacks is spelt as the bytes of its
        UTF-8, 256 symbols of the vocabulary, so that each text comes back; else it is unknown.
    """

    vocabulary_size: int
    byte_fallback: bool

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        check_vocabulary_size(self.vocabulary_size, byte_fallback=self.byte_fallback)

    @property
    def learnt_size(self) -> int:
        """At most so many ids stand for special symbols and what is learnt."""
        return self.vocabulary_size - len(self.byte_symbols())

    def byte_symbols(self) -> tuple[str, ...]:
        """The symbols of bytes, which get the last ids."""
        return BYTE_SYMBOLS if self.byte_fallback else ()

    def untrained(self, model: models.Model) -> tokenizers.Tokenizer:
        """A tokenizer that gives a model its words, with nothing learnt yet.

        Each text gets a space in front, so that its first word is cut as all others, and a single
        space belongs to the word behind it; decoding takes one space away again.
        """
        inner = tokenizers.Tokenizer(model)
        inner.normalizer = self.normalizer(normalizers.Prepend(LEAD))
        inner.pre_tokenizer = pre_tokenizers.Split(Regex(WORD_OR_BLANKS), behavior="isolated")
        return inner
