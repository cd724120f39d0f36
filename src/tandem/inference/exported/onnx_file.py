"""What an ONNX file refers to, read from its bytes before any program opens it.

ONNX is written in protocol buffers: each field is a number with its kind, and messages stand inside
messages. Only the fields are followed through which a tensor can be reached; ``onnx.proto`` of the
ONNX project numbers them.
"""

from collections.abc import Iterator

FIELDS = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {
        **{5: "Tensor", 10: "Tensor", 6: "Graph", 11: "Graph"},
        **{22: "SparseTensor", 23: "SparseTensor"},
    },
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "External"},
    "External": {},
}
"""For each kind of message, which of its fields are messages."""
DATA_LOCATION = 14
"""The field of a tensor that says, if it is not 0, that its numbers are in another file."""


def refers_to_files(content: bytes) -> bool:
    """Whether any tensor's numbers are to be read from a file of its own.

    :raises ValueError: if it is no protocol buffer.
    """
    agenda = [("Model", memoryview(content))]
    while agenda:
        kind, message = agenda.pop()
        if kind == "External":
            return True
        for number, value in _fields(message):
            if kind == "Tensor" and number == DATA_LOCATION and value != 0:
                return True
            inner = FIELDS[kind].get(number)
            if inner is not None and isinstance(value, memoryview):
                agenda.append((inner, value))
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Numbers of a message's fields with their values; those of fixed width as 0."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _varint(message, place)
            yield number, value
        elif kind == 2:
            size, place = _varint(message, place)
            if place + size > len(message):
                raise ValueError("a field is longer than what holds it")
            yield number, message[place : place + size]
            place += size
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field has the unknown kind {kind}")


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number, seven bits a byte, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number has no end")
