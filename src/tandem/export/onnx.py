"""Graphs as ONNX files."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tandem.export import onnx_recurrence
from tandem.export.graphs import Graph
from tandem.export.programs import trace
from tandem.layers.recurrent_operator import recurrent_layer

SUFFIX = ".onnx"


def write_onnx(graph: Graph, path: Path) -> None:
    """Trace a graph, translate it to ONNX and write it, weights included."""
    program = trace(graph)
    with _quiet():
        translated: Any = torch.onnx.export(
            program,
            (),
            dynamo=True,
            optimize=False,
            verbose=False,
            custom_translation_table={recurrent_layer._opoverload: onnx_recurrence.translate},
        )
        translated.optimize()
        _rename(translated.model.graph, graph)
        translated.save(path, external_data=False)


def _rename(body: Any, graph: Graph) -> None:
    """Give inputs and outputs, and their axes, the names that the graph has for them."""
    specs = (*graph.inputs, *graph.outputs)
    names = {spec.name for spec in specs}
    for node in body:
        for value in node.outputs:
            if value.name in names:
                value.name = f"{value.name}_inside"
    for value, spec in zip((*body.inputs, *body.outputs), specs, strict=True):
        value.name = spec.name
        value.shape = type(value.shape)(spec.shape)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without remarks of the translator that are not for users."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)
