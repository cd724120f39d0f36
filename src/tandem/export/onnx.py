"""Graphs as ONNX files."""

from pathlib import Path
from typing import Any

import torch

from tandem.core.errors import InputError
from tandem.export import onnx_recurrence
from tandem.export.graphs import Graph
from tandem.export.programs import trace, tracing
from tandem.export.quiet import quiet
from tandem.layers.recurrent_operator import recurrent_layer

SUFFIX = ".onnx"
MOST_BYTES = 2**31 - 2**24
"""Of weights in one file, which holds 2 GB."""


def write_onnx(graph: Graph, path: Path) -> None:
    """Trace a graph, translate it to ONNX and write it, weights included."""
    program = trace(graph)
    with quiet("torch.onnx", FutureWarning), tracing():
        translated: Any = torch.onnx.export(
            program,
            (),
            dynamo=True,
            optimize=False,
            verbose=False,
            custom_translation_table={recurrent_layer._opoverload: onnx_recurrence.translate},
        )
        translated.optimize()
        _check_size(translated.model.graph, graph)
        _rename(translated.model.graph, graph)
        _drop_remarks(translated.model.graph)
        translated.save(path, external_data=False)


def _check_size(body: Any, graph: Graph) -> None:
    """Refuse weights that no single file of ONNX can hold."""
    size = sum(value.const_value.nbytes for value in body.initializers.values())
    if size > MOST_BYTES:
        raise InputError(
            f"The model's {graph.name} has weights of {size / 1e9:.1f} GB, but a file of ONNX "
            "holds at most 2 GB; choose format=torch, or export a smaller model."
        )


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


def _drop_remarks(body: Any) -> None:
    """Drop where in the code each node comes from: more than the weights of a small model, and
    paths on this machine.
    """
    for one in (body, *body.inputs, *body.outputs, *body.initializers.values(), *body):
        one.metadata_props.clear()
    for node in body:
        for value in node.outputs:
            value.metadata_props.clear()
