"""What every tokenizer recipe shares."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import tokenizers
from tokenizers import normalizers, pre_tokenizers, trainers

from tandem.core.errors import InputError
from tandem.data.tokenizers.cutters import Cutter
from tandem.data.tokenizers.tokenizer import BYTE_SYMBOLS, INNER_SPECIALS, Tokenizer

_NORMALIZERS = {
    "nfc": normalizers.NFC,
    "nfkc": normalizers.NFKC,
    "nfd": normalizers.NFD,
    "nfkd": normalizers.NFKD,
}


@dataclass(frozen=True, kw_only=True)
class TokenizerRecipe(ABC):
    """How to learn a tokenizer from texts.

    :param shared: whether source and target get one tokenizer, learnt from both.
    :param lowercase: whether capital letters become small ones.
    :param normalization: Unicode normalisation: none, nfc, nfkc, nfd or nfkd.
    """

    shared: bool
    lowercase: bool
    normalization: str

    def __post_init__(self) -> None:
        """Refuse a normalisation that does not exist."""
        if self.normalization not in ("none", *_NORMALIZERS):
            raise InputError(
                f"The tokenizer's `normalization` ({self.normalization}) must be one of none, "
                f"{', '.join(_NORMALIZERS)}."
            )

    def read(self) -> Tokenizer | None:
        """Return the tokenizer if it needs no texts, as others have trained it."""
        return None

    @abstractmethod
    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Learn the vocabulary; the same texts give the same vocabulary."""

    def cutter(self, tokenizer: Tokenizer) -> Cutter | None:
        """Return what cuts training texts at random, given what was learnt; None: nothing does."""
        return None

    def normalizer(self, *more: normalizers.Normalizer) -> normalizers.Normalizer:
        """Return what is done to each text first: normalisation, lowercasing, and more."""
        steps: list[normalizers.Normalizer] = []
        if self.normalization != "none":
            steps.append(_NORMALIZERS[self.normalization]())
        if self.lowercase:
            steps.append(normalizers.Lowercase())
        return normalizers.Sequence([*steps, *more])


def spaced_words() -> pre_tokenizers.PreTokenizer:
    """Cut at whitespace and put one space in front of each word, so that pieces join to text."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement=" ", prepend_scheme="always", split=False),
        ]
    )


def check_min_frequency(min_frequency: int) -> None:
    """Refuse a minimum frequency that means nothing."""
    if min_frequency < 1:
        raise InputError(f"The tokenizer's `min_frequency` ({min_frequency}) must be at least 1.")


def check_vocabulary_size(vocabulary_size: int, *, byte_fallback: bool = False) -> None:
    """Refuse a vocabulary with room for special symbols only, or for these and bytes."""
    fixed = len(INNER_SPECIALS) + byte_fallback * len(BYTE_SYMBOLS)
    if vocabulary_size > fixed:
        return
    what, remedy = "special symbols", ""
    if byte_fallback:
        what = "special symbols and bytes"
        remedy = "; raise it or set tokenizer.byte_fallback=false"
    raise InputError(
        f"The tokenizer's `vocabulary_size` ({vocabulary_size}) must be greater than {fixed}, the "
        f"number of {what}{remedy}."
    )


def check_room(characters: int, vocabulary_size: int, *, byte_fallback: bool = False) -> None:
    """Refuse a vocabulary without room for each character of the texts."""
    needed = characters + len(INNER_SPECIALS) + byte_fallback * len(BYTE_SYMBOLS)
    if needed <= vocabulary_size:
        return
    fixed, remedy = f"{len(INNER_SPECIALS)} special symbols", "raise it"
    if byte_fallback:
        fixed += f" and {len(BYTE_SYMBOLS)} bytes"
        remedy += ", set tokenizer.byte_fallback=false"
    raise InputError(
        f"The tokenizer's `vocabulary_size` ({vocabulary_size}) must be at least {needed}, as the "
        f"training texts have {characters} different characters besides {fixed}; {remedy} or "
        "choose tokenizer=byte."
    )


def check_alphabet(
    inner: tokenizers.Tokenizer, vocabulary_size: int, *, byte_fallback: bool = False
) -> None:
    """Refuse a vocabulary, still without bytes, that the texts' characters made too large."""
    learnt = inner.get_vocab_size(with_added_tokens=False) - len(INNER_SPECIALS)
    check_room(learnt, vocabulary_size, byte_fallback=byte_fallback)


def learn(
    inner: tokenizers.Tokenizer, trainer: trainers.Trainer, texts: Iterable[str]
) -> tokenizers.Tokenizer:
    """Train on the texts and return the tokenizer without tokens that the library matches in text.

    The library registers its special symbols for matching in raw text, which would let a text
    write an ``eos``; here they stay in the vocabulary and leave that list.
    """
    inner.train_from_iterator(texts, trainer)
    return changed(inner, lambda record: record.update(added_tokens=[]))


def changed(
    inner: tokenizers.Tokenizer, change: Callable[[dict[str, Any]], None]
) -> tokenizers.Tokenizer:
    """Return a tokenizer whose record, as the library writes it down, is changed."""
    record = json.loads(inner.to_str())
    change(record)
    return tokenizers.Tokenizer.from_str(json.dumps(record))
