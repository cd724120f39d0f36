"""Files of SentencePiece, as Marian's checkpoints have them, as tokenizers of the library."""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from tandem.core.errors import InputError, reason_of

PIECES_SUFFIX = ".spm"
SOURCE_PIECES, TARGET_PIECES, VOCABULARY = "source.spm", "target.spm", "vocab.json"
END, UNKNOWN = "</s>", "<unk>"
UNIGRAM = 1
"""The kind of model that is read, of those that SentencePiece knows."""
OTHER_SIDE = -1e4
"""Log-probability of a piece that only the other side's file has: it is taken where no other
fits, as when ids are looked up after cutting."""

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


def read_pieces(path: Path, ids: Mapping[str, int]) -> tokenizers.Tokenizer:
    """Read a model of pieces whose ids stand in another file.

    :param ids: of the pieces of both sides' files, from 0 without a gap.
    :raises InputError: if it is damaged, or no unigram model.
    """
    scores: dict[str, float] = {}
    kind, characters = UNIGRAM, b""
    try:
        for number, value in _fields(path.read_bytes()):
            if number == 1:  # a piece and its log-probability
                piece = dict(_fields(value))
                scores[piece[1].decode("utf-8")] = struct.unpack("<f", piece[2])[0]
            elif number == 2:  # how it was trained
                kind = dict(_fields(value)).get(3, UNIGRAM)
            elif number == 3:  # how texts are normalised
                characters = dict(_fields(value)).get(2, b"")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, struct.error) as error:
        raise InputError(
            f"The file {path} cannot be read ({reason_of(error)[:150]}); get it again."
        ) from error
    if kind != UNIGRAM:
        raise InputError(
            f"The file {path} is no unigram model, but another kind of SentencePiece; choose "
            "tokenizer=unigram, which learns one from your texts, or another checkpoint."
        )
    symbols = sorted(ids, key=lambda symbol: ids[symbol])
    if [ids[symbol] for symbol in symbols] != list(range(len(ids))) or not {END, UNKNOWN} <= set(
        ids
    ):
        raise InputError(
            f"The file {path.with_name(VOCABULARY)} must have ids from 0 without a gap, {END} and "
            f"{UNKNOWN}, but has not; get the whole checkpoint."
        )
    return _tokenizer([(one, scores.get(one, OTHER_SIDE)) for one in symbols], ids, characters)


def _tokenizer(
    vocabulary: list[tuple[str, float]], ids: Mapping[str, int], characters: bytes
) -> tokenizers.Tokenizer:
    """Of pieces with their log-probabilities, in the order of their ids.

    :param characters: what is replaced before a text is cut.
    """
    tokenizer = tokenizers.Tokenizer(models.Unigram(vocabulary, ids[UNKNOWN], False))
    steps: list[Any] = [normalizers.Precompiled(characters)] if characters else []
    steps += [normalizers.Strip(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, ids[END])]
    )
    special = [symbol for symbol in (END, UNKNOWN, "<pad>") if symbol in ids]
    tokenizer.add_special_tokens(special)
    return tokenizer


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message of protocol buffers, by number: ints and bytes."""
    place = 0

    def varint() -> int:
        nonlocal place
        value, shift = 0, 0
        while True:
            byte = message[place]
            value, shift, place = value | (byte & 0x7F) << shift, shift + 7, place + 1
            if byte < 0x80:
                return value

    while place < len(message):
        number, wire = divmod(varint(), 8)
        if wire == _VARINT:
            yield number, varint()
            continue
        sizes = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
        size = varint() if wire == _BYTES else sizes[wire]
        if place + size > len(message):
            raise ValueError("it ends too early")
        yield number, message[place : place + size]
        place += size
