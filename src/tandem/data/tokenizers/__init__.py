"""Tokenizers: how text becomes ids, one recipe a file."""

from tandem.data.tokenizers.bpe import BPETokenizer
from tandem.data.tokenizers.byte import ByteTokenizer
from tandem.data.tokenizers.char import CharTokenizer
from tandem.data.tokenizers.pretrained import PretrainedTokenizer
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.data.tokenizers.unigram import UnigramTokenizer
from tandem.data.tokenizers.word import WordTokenizer
from tandem.data.tokenizers.wordpiece import WordPieceTokenizer

__all__ = [
    "BPETokenizer",
    "ByteTokenizer",
    "CharTokenizer",
    "PretrainedTokenizer",
    "Tokenizer",
    "UnigramTokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
]
