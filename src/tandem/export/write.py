"""Writing a model's graphs into a folder."""

from pathlib import Path
from typing import Any

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
    with evaluation_mode(model):
        parts = take_apart(model, source_size=source_size)
        files = {}
        for graph in parts.graphs:
            files[graph.name] = f"{graph.name}{suffix}"
            write(graph, folder / files[graph.name])
    return parts.description(files)
