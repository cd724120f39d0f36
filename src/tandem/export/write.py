"""Writing a model's graphs into a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError, reason_of
from tandem.core.modes import evaluation_mode
from tandem.export import onnx, programs
from tandem.export.graphs import take_apart
from tandem.models.seq2seq import Seq2Seq

WRITERS = {
    "onnx": (onnx.write_onnx, onnx.SUFFIX),
    "torch": (programs.write_program, programs.SUFFIX),
}
"""How a graph is written in each format, and how its file's name ends."""


def write_graphs(model: Seq2Seq, folder: Path, *, format: str, source_size: int) -> dict[str, Any]:
    """Write the graphs of a model: encoder, start, step, and CTC if it has that.

    :param model: on the CPU, in float32.
    :param folder: exists.
    :param format: one of :data:`WRITERS`.
    :param source_size: symbols of the source's vocabulary, or the width of its vectors.
    :return: what a runtime must know of them, as plain data: ``graphs`` (file names), ``inputs``
        and ``outputs`` of each, ``state``, ``position``, ``scores`` and ``attention``.
    :raises InputError: if a part of the model cannot be exported.
    """
    write, suffix = WRITERS[format]
    files: dict[str, str] = {}
    with evaluation_mode(model), _refusal(format):
        parts = take_apart(model, source_size=source_size)
        for graph in parts.graphs:
            files[graph.name] = f"{graph.name}{suffix}"
            write(graph, folder / files[graph.name])
    return parts.description(files)


@contextmanager
def _refusal(format: str) -> Iterator[None]:
    """Say in a sentence what torch cannot trace or translate: some part of the user's own."""
    try:
        yield
    except (InputError, OSError):
        raise
    except Exception as error:
        raise InputError(
            f"This model cannot be written as format={format} ({reason_of(error)[:300]}); let its "
            "code not depend on numbers in tensors, or export a model of other parts."
        ) from error
