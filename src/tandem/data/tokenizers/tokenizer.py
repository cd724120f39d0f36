"""A trained tokenizer: text to ids and back, and all of itself as one plain JSON text."""

import json
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import tokenizers

from tandem.core.errors import InputError, reason_of
from tandem.core.plain_json import read_json
from tandem.core.types import SPECIAL_IDS, SPECIAL_TOKENS
from tandem.data.tokenizers.parts import LEAD, WORD_OR_BLANKS, check_parts

INNER_SPECIALS = tuple(f" {token} " for token in SPECIAL_TOKENS)
"""What the special symbols are called inside a vocabulary.

No recipe ever cuts a text into a piece in which a space follows a letter, so no text, not even a
literal ``<eos>``, can become a special id.
"""
BYTE_SYMBOLS = tuple(f" <0x{byte:02X}> " for byte in range(256))
"""What bytes are called inside a vocabulary of pieces, for the same reason.

The library's own fallback calls them ``<0xE2>``, which a text can be.
"""

FORMAT = "tandem-tokenizer"
VERSION = 1

WORDS = "words"
"""Tokens are words, written with a space between them."""
WORD_PIECES = "word_pieces"
"""A word's first piece starts with a space, and an unknown symbol is a whole word."""
PIECES = "pieces"
"""A word's first piece starts with a space, and an unknown symbol is a part of a word.

What is unknown is spelt in bytes instead if the vocabulary has ``BYTE_SYMBOLS``.
"""
CHARACTERS = "characters"
"""Tokens are characters, spaces included."""
BYTES = "bytes"
"""Tokens are the bytes of UTF-8, in order, behind the special ids."""
LIBRARY = "library"
"""Tokens join as the library's decoder of this tokenizer says, which others have trained."""
SPELLINGS = (WORDS, WORD_PIECES, PIECES, CHARACTERS, BYTES, LIBRARY)

TARGET_TOKENIZER = "target_tokenizer.json"
"""The file of a bundle that holds what writes its outputs."""
_FIRST = len(SPECIAL_TOKENS)
_BYTES = [bytes([byte]) for byte in range(256)]
_VISIBLE = str.maketrans({" ": "▁", "\n": "↵", "\t": "⇥"})
_PREPEND = {"type": "Prepend", "prepend": LEAD}

# The library may use threads here, but never in a forked child, where they would hang.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
os.register_at_fork(
    after_in_child=lambda: os.environ.__setitem__("TOKENIZERS_PARALLELISM", "false")
)


class Tokenizer:
    """Turns text into ids and ids into text, the same way after a trip through JSON.

    :param inner: the trained tokenizer of the library.
    :param spelling: how tokens join into text, one of ``SPELLINGS``.
    :param controls: ids beside the special ones that stand for no text, such as ``[MASK]``.
    :param before: an id that a network expects in front of a source, such as ``[CLS]``.
    """

    def __init__(
        self,
        inner: tokenizers.Tokenizer,
        *,
        spelling: str,
        controls: Sequence[int] = (),
        before: int | None = None,
    ) -> None:
        self._inner = inner
        self._spelling = spelling
        self.controls = tuple(controls)
        self.before = before
        size = inner.get_vocab_size(with_added_tokens=False)
        pieces = [inner.id_to_token(i) or "" for i in range(size)]
        if tuple(pieces[: len(INNER_SPECIALS)]) != INNER_SPECIALS:
            raise InputError(
                f"A tokenizer's ids 0 to {len(INNER_SPECIALS) - 1} must be "
                f"{', '.join(SPECIAL_TOKENS)} in this order, but this one's first symbols are "
                f"{pieces[: len(INNER_SPECIALS)]}; train it with one of Tandem's recipes."
            )
        if spelling == BYTES and size != _FIRST + len(_BYTES):
            raise InputError(
                f"A tokenizer of bytes must have {_FIRST + len(_BYTES)} ids, but this one has "
                f"{size}; train it with tokenizer=byte."
            )
        self._written = _written(pieces, spelling)
        self._shown = _shown(pieces, spelling)
        ids = dict(zip(pieces, range(size), strict=True)) if spelling == PIECES else {}
        spelt = all(symbol in ids for symbol in BYTE_SYMBOLS)
        self._byte_ids = [ids[symbol] for symbol in BYTE_SYMBOLS] if spelt else []
        self.symbols = tuple(pieces)
        """What each id stands for; two vocabularies have a symbol in common if both name it."""

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, special ones included."""
        return len(self.symbols)

    @property
    def kind(self) -> str:
        """What it cuts texts into, how, and after which changes: all but the vocabulary."""
        record = json.loads(self._inner.to_str())
        kind = f"{self._spelling.replace('_', ' ')} by {record['model']['type']}"
        changes = _changes(record)
        return f"{kind} after {', '.join(changes)}" if changes else kind

    @cached_property
    def lossless(self) -> bool:
        """Whether ``decode`` gives back each text, whatever it has."""
        record = json.loads(self._inner.to_str())
        cut = record["pre_tokenizer"]
        if self._spelling in (BYTES, LIBRARY):
            whole = cut["type"] == "ByteLevel" and not cut["add_prefix_space"]
        else:
            whole = (
                bool(self._byte_ids)
                and cut.get("pattern") == {"Regex": WORD_OR_BLANKS}
                and _PREPEND in record["normalizer"]["normalizers"]
            )
        return whole and not _changes(record)

    def normalize(self, text: str) -> str:
        """Return what ``decode`` makes of a text without unknown symbols, by design."""
        if self._spelling in (BYTES, CHARACTERS):
            normal: str = self._inner.normalizer.normalize_str(text)
            return normal
        if self._spelling == LIBRARY:
            return self.decode(self.encode_batch([text])[0])
        words = self.words(text)
        return " ".join(words) if self._spelling == WORDS else "".join(words).removeprefix(LEAD)

    def encode_batch(self, texts: list[str]) -> list[list[int]]:
        """Return each text's ids, without special ones at its ends."""
        encodings = self._inner.encode_batch_fast(texts, add_special_tokens=False)
        batch = [encoding.ids for encoding in encodings]
        if self._byte_ids:
            for row, ids in enumerate(batch):
                if SPECIAL_IDS.unk in ids:
                    batch[row] = [id_ for word in self.words(texts[row]) for id_ in self.cut(word)]
        return batch

    def unknown(self, text: str) -> list[str]:
        """Return the parts of a text that the vocabulary lacks, each once, as they stand in it.

        They become ``<unk>``, or bytes that training never had.
        """
        encoding = self._inner.encode(text, add_special_tokens=False)
        places = zip(encoding.ids, encoding.offsets, strict=True)
        parts = (text[start:end].strip(" ") for i, (start, end) in places if i == SPECIAL_IDS.unk)
        return list(dict.fromkeys(part for part in parts if part))

    def words(self, text: str) -> list[str]:
        """Return the strings that are cut into pieces, one after the other."""
        return words_of(self._inner, text)

    def cut(self, word: str) -> list[int]:
        """Return the ids of one of these strings."""
        tokens = self._inner.model.tokenize(word)
        if not self._byte_ids:
            return [token.id for token in tokens]
        raw, ids = word.encode(), []
        for token in tokens:
            unknown = raw[slice(*token.offsets)] if token.id == SPECIAL_IDS.unk else b""
            ids += [self._byte_ids[byte] for byte in unknown] or [token.id]
        return ids

    def model(self) -> dict[str, Any]:
        """Return what was learnt, as the library writes it down."""
        model: dict[str, Any] = json.loads(self._inner.to_str())["model"]
        return model

    def decode(self, ids: list[int]) -> str:
        """Return the text up to the first ``eos``; an unknown symbol reads ``<unk>``."""
        if self._spelling == LIBRARY:
            return self._joined([id_ for id_ in _content(ids) if id_ not in self.controls])
        raw = b"".join(self._written[i] for i in _content(ids))
        text = raw.decode("utf-8", errors="replace")
        return text if self._spelling in (BYTES, CHARACTERS) else text.removeprefix(LEAD)

    def _joined(self, ids: list[int]) -> str:
        """Return what the library's decoder makes of ids, with ``<unk>`` as a word between them."""
        parts: list[list[int]] = [[]]
        for id_ in ids:
            if id_ == SPECIAL_IDS.unk:
                parts.append([])
            else:
                parts[-1].append(id_)
        texts = [str(self._inner.decode(part, skip_special_tokens=False)) for part in parts]
        unknown = f" {SPECIAL_TOKENS[SPECIAL_IDS.unk]} "
        return texts[0] if len(texts) == 1 else unknown.join(texts).strip()

    def tokens(self, ids: list[int]) -> list[str]:
        """Return what to write on each token in a picture.

        A space reads ``▁``, a line feed ``↵``, a tab ``⇥`` and a byte ``E2`` or, among pieces,
        ``<0xE2>``.
        """
        return [self._shown[i] for i in ids]

    def to_json(self) -> str:
        """Return everything that ``from_json`` needs.

        :raises InputError: if it has parts that ``from_json`` would refuse.
        """
        record = {
            "format": FORMAT,
            "version": VERSION,
            "spelling": self._spelling,
            "controls": list(self.controls),
            "before": self.before,
            "tokenizer": json.loads(self._inner.to_str()),
        }
        _check(record["tokenizer"])
        return json.dumps(record, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Tokenizer":
        """Build the tokenizer that ``to_json`` wrote; the text is data and runs no code.

        :raises InputError: if it is damaged, or has parts that no tokenizer of ours has.
        """
        record = _record(text)
        _check(record["tokenizer"])
        try:
            inner = tokenizers.Tokenizer.from_str(json.dumps(record["tokenizer"]))
        except Exception as error:  # the library raises no narrower type
            raise InputError(
                f"The tokenizer JSON's key `tokenizer` cannot be read ({reason_of(error)}); the "
                "file is damaged, so take it from the run or the bundle again."
            ) from error
        return cls(
            inner,
            spelling=record["spelling"],
            controls=record["controls"],
            before=record["before"],
        )


def _check(inner: Any) -> None:
    """Refuse parts that a tokenizer may not have."""
    unknown = SPECIAL_IDS.unk
    check_parts(inner, unknown=INNER_SPECIALS[unknown], unknown_id=unknown)


def _record(text: str | bytes) -> dict[str, Any]:
    """Parse and check the outer JSON."""
    try:
        record = read_json(text)
    except ValueError as error:
        raise InputError(
            f"The tokenizer is not JSON ({reason_of(error)}); the file is damaged, so take it "
            "from the run or the bundle again."
        ) from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InputError(
            f'The tokenizer JSON must have "format": "{FORMAT}"; this is another kind of file.'
        )
    if record.get("version") != VERSION:
        raise InputError(
            f"The tokenizer JSON's version is {record.get('version')!r}, but this Tandem reads "
            f"version {VERSION}; use the Tandem that wrote it."
        )
    if record.get("spelling") not in SPELLINGS or "tokenizer" not in record:
        raise InputError(
            "The tokenizer JSON must have the key `tokenizer` and a `spelling` out of "
            f"{', '.join(SPELLINGS)}; the file is damaged, so take it from the run or the bundle "
            "again."
        )
    ids = [*record.setdefault("controls", []), record.setdefault("before", None) or 0]
    if not all(type(id_) is int for id_ in ids):
        raise InputError(
            "The tokenizer JSON's `controls` and `before` must be ids; the file is damaged, so "
            "take it from the run or the bundle again."
        )
    return record


def _content(ids: list[int]) -> list[int]:
    """Cut at the first eos and drop padding and bos."""
    if SPECIAL_IDS.eos in ids:
        ids = ids[: ids.index(SPECIAL_IDS.eos)]
    return [i for i in ids if i != SPECIAL_IDS.pad and i != SPECIAL_IDS.bos]


def words_of(inner: tokenizers.Tokenizer, text: str) -> list[str]:
    """Return the strings that a tokenizer of the library cuts into pieces."""
    normal = inner.normalizer.normalize_str(text)
    return [word for word, _ in inner.pre_tokenizer.pre_tokenize_str(normal)]


def _changes(record: dict[str, Any]) -> list[str]:
    """Return what is done to each text, but for the space in front that decoding takes away."""
    changes = record["normalizer"]["normalizers"]
    return [change["type"] for change in changes if change != _PREPEND]


def _written(pieces: list[str], spelling: str) -> list[bytes]:
    """Return what each id adds to a decoded text."""
    lead = " " if spelling == WORDS else ""
    written = [f"{lead}{piece}".encode() for piece in pieces]
    if spelling == BYTES:
        written[_FIRST:] = _BYTES
    if spelling == PIECES:
        values = dict(zip(BYTE_SYMBOLS, _BYTES, strict=True))
        written = [values.get(piece, raw) for piece, raw in zip(pieces, written, strict=True)]
    written[:_FIRST] = [token.encode() for token in SPECIAL_TOKENS]
    if spelling in (WORDS, WORD_PIECES):
        written[SPECIAL_IDS.unk] = b" " + written[SPECIAL_IDS.unk]
    return written


def _shown(pieces: list[str], spelling: str) -> list[str]:
    """Return what each id reads in a picture."""
    if spelling == BYTES:
        pieces = [*pieces[:_FIRST], *(_shown_byte(byte) for byte in range(len(_BYTES)))]
    shown = [piece.translate(_VISIBLE) for piece in pieces]
    if spelling == PIECES:
        names = {symbol: symbol.strip() for symbol in BYTE_SYMBOLS}
        shown = [names.get(piece, name) for piece, name in zip(pieces, shown, strict=True)]
    return [*SPECIAL_TOKENS, *shown[_FIRST:]]


def _shown_byte(byte: int) -> str:
    return chr(byte) if byte in range(0x20, 0x7F) else f"{byte:02X}"
