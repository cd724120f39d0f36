"""Graphs as programs of torch.export."""

from pathlib import Path
from typing import Any

import torch
from torch.export import Dim, ExportedProgram

from tandem.export.graphs import Graph

SUFFIX = ".pt2"


def trace(graph: Graph) -> ExportedProgram:
    """Trace a graph for any number of sources, hypotheses and positions.

    What torch notes of the example's sizes, such as that there is more than one source, is no
    rule, so its assertions are taken out.
    """
    names = {size for spec in graph.inputs for size in spec.shape if isinstance(size, str)}
    dims = {name: Dim(name) for name in sorted(names)}
    shapes = tuple(
        {axis: dims[size] for axis, size in enumerate(spec.shape) if isinstance(size, str)}
        for spec in graph.inputs
    )
    config: Any = torch.fx.experimental._config
    with torch.enable_grad(), config.patch(backed_size_oblivious=True):
        program = torch.export.export(
            graph.module,
            tuple(tensor.detach() for tensor in graph.example),
            dynamic_shapes=(shapes,),
            prefer_deferred_runtime_asserts_over_guards=True,
        )
    body = program.graph_module.graph
    for node in list(body.nodes):
        if node.target is torch.ops.aten._assert_scalar.default:
            body.erase_node(node)
    body.eliminate_dead_code()
    program.graph_module.recompile()
    return program


def write_program(graph: Graph, path: Path) -> None:
    """Trace a graph and write its program, weights included."""
    torch.export.save(trace(graph), path)
