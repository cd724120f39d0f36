"""Weights of hostile bundles: damaged, or not the network's, with a digest that fits."""

import json
import pickle
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hostile import GIGABYTE, Damage, Variant, change, put

from tandem.inference.weights import WEIGHTS

Header = dict[str, Any]
METADATA = "__metadata__"
ENTRIES: dict[str, Header] = {
    "a shape that overflows": {"shape": [2**40, 2**40]},
    "a negative shape": {"shape": [-8, -8]},
    "a shape that is no list": {"shape": 8},
    "a shape of fractions": {"shape": [0.5, 112]},
    "offsets beyond the file": {"data_offsets": [0, 10**15]},
    "offsets that overlap": {"data_offsets": [0, 8]},
    "offsets backwards": {"data_offsets": [64, 0]},
    "an unknown type": {"dtype": "X7"},
}
"""What else the header says of the first weight."""
SHARED: dict[str, Any] = {
    "names shared with nothing": {"x": "y"},
    "names shared in a circle": {"x": "x"},
    "metadata that is no object": 7,
}
TYPES = {"I32": "<i4", "F16": "<f2", "F64": "<f8", "BOOL": "?"}
NUMBERS = {"NaN": float("nan"), "infinity": float("-inf"), "enormous": 3e38}
RAW: dict[str, Callable[[bytes], bytes]] = {
    "no header": lambda raw: b"\0\0",
    "a header of 0 bytes": lambda raw: struct.pack("<Q", 0),
    "a header of 2**63 bytes": lambda raw: struct.pack("<Q", 2**63) + raw[8:],
    "a header of 90 MB": lambda raw: _packed(b" " * 90_000_000, raw),
    "a header that is no JSON": lambda raw: _packed(b"x" * 100, raw),
    "a header that is a list": lambda raw: _packed(b"[1, 2]", raw),
    "a deep header": lambda raw: _packed(b"[" * 100_000, raw),
    "a pickle": lambda raw: pickle.dumps({"a": 1}),
}


def _packed(header: Header | bytes, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _parts(raw: bytes) -> tuple[Header, bytes]:
    (size,) = struct.unpack("<Q", raw[:8])
    header: Header = json.loads(raw[8 : 8 + size])
    header.pop(METADATA, None)
    return header, raw[8 + size :]


def _headed(alter: Callable[[Header], Header]) -> Damage:
    """The same data under another header."""

    def altered(raw: bytes) -> bytes:
        header, data = _parts(raw)
        return _packed(alter(header), data)

    return change(altered, WEIGHTS)


def _first(header: Header) -> str:
    return next(iter(header))


def _renamed(name: str) -> Damage:
    def alter(header: Header) -> Header:
        return {(name if key == _first(header) else key): one for key, one in header.items()}

    return _headed(alter)


def _more(count: int) -> Damage:
    def alter(header: Header) -> Header:
        end = max(one["data_offsets"][1] for one in header.values())
        empty = {"dtype": "F32", "shape": [0], "data_offsets": [end, end]}
        return header | {f"x{number}": empty for number in range(count)}

    return _headed(alter)


def _entry(values: Header) -> Damage:
    return _headed(lambda header: {**header, _first(header): {**header[_first(header)], **values}})


def _transposed(header: Header) -> Header:
    return {key: {**one, "shape": one["shape"][::-1]} for key, one in header.items()}


def _without(header: Header) -> Header:
    return {key: one for key, one in header.items() if key != _first(header)}


def _shared(header: Header) -> Header:
    return {**_without(header), METADATA: {_first(header): "output.weight"}}


def _typed(dtype: str, kind: str) -> Damage:
    def altered(raw: bytes) -> bytes:
        header, data = _parts(raw)
        parts: list[bytes] = []
        for one in header.values():
            start, end = one["data_offsets"]
            parts.append(np.frombuffer(data[start:end], "<f4").astype(kind).tobytes())
            done = sum(map(len, parts))
            one |= {"dtype": dtype, "data_offsets": [done - len(parts[-1]), done]}
        return _packed(header, b"".join(parts))

    return change(altered, WEIGHTS)


def _number(value: float) -> Damage:
    def altered(raw: bytes) -> bytes:
        header, data = _parts(raw)
        return _packed(header, struct.pack("<f", value) + data[4:])

    return change(altered, WEIGHTS)


def _agreeing(folder: Path) -> None:
    """A network of 300 GB whose embeddings are in a sparse file."""
    size = 10 * GIGABYTE
    put(("model", "frontend", "embedding_size"), size)(folder)
    header, _ = _parts((folder / WEIGHTS).read_bytes())
    rows, _ = header["frontend.table.weight"]["shape"]
    end = rows * size * 4
    table = {"dtype": "F32", "shape": [rows, size], "data_offsets": [0, end]}
    packed = _packed({"frontend.table.weight": table}, b"")
    with (folder / WEIGHTS).open("wb") as file:
        file.write(packed)
        file.truncate(len(packed) + end)


def variants() -> Iterator[Variant]:
    """Files of weights, one by one."""
    damages: dict[str, Damage] = {
        "without one": _headed(_without),
        "with one more": _more(1),
        "with 50,000 more": _more(50_000),
        "one of another name": _renamed("x"),
        "one with escapes for a name": _renamed("\x1b[2J"),
        "none": change(lambda raw: _packed({}, b""), WEIGHTS),
        "shapes transposed": _headed(_transposed),
        "a name shared with another shape": _headed(_shared),
    }
    damages |= {name: change(alter, WEIGHTS) for name, alter in RAW.items()}
    damages |= {name: _entry(values) for name, values in ENTRIES.items()}
    damages |= {f"as {dtype}": _typed(dtype, kind) for dtype, kind in TYPES.items()}
    damages |= {name: _number(value) for name, value in NUMBERS.items()}
    damages |= {name: _metadata(value) for name, value in SHARED.items()}
    for name, damage in damages.items():
        yield Variant("weights", name, "words", damage)
    name = "weights of 300 sparse GB that the config agrees with"
    yield Variant("sizes that eat memory", name, "words", _agreeing)


def _metadata(value: Any) -> Damage:
    return _headed(lambda header: {**header, METADATA: value})
