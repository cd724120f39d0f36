"""Graphs as programs of torch.export."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim, ExportedProgram
from torch.export.graph_signature import InputKind

from tandem.export.graphs import Graph

SUFFIX = ".pt2"


def trace(graph: Graph) -> ExportedProgram:
    """Trace a graph for any number of sources, hypotheses and positions.

    What torch notes of the example's sizes, such as that there is more than one source, is no
    rule, so its assertions are taken out; and so are weights that this graph does not read.
    """
    names = {size for spec in graph.inputs for size in spec.shape if isinstance(size, str)}
    dims = {name: Dim(name) for name in sorted(names)}
    shapes = tuple(
        {axis: dims[size] for axis, size in enumerate(spec.shape) if isinstance(size, str)}
        for spec in graph.inputs
    )
    with torch.enable_grad(), tracing():
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
    _drop_unread(program)
    program.graph_module.recompile()
    return program


def _drop_unread(program: ExportedProgram) -> None:
    """Drop weights that nothing reads."""
    signature, read = program.graph_signature, []
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    for spec in signature.input_specs:
        if spec.kind == InputKind.USER_INPUT or nodes[spec.arg.name].users:
            read.append(spec)
            continue
        program.graph.erase_node(nodes[spec.arg.name])
        for stored in (program.state_dict, program.constants):
            stored.pop(str(spec.target), None)
    signature.input_specs[:] = read


@contextmanager
def tracing() -> Iterator[None]:
    """Torch's settings for tracing: sizes of 1 are none apart, and it remembers no operator's
    answer, which takes a fifth of the time and seldom helps.
    """
    sizes: Any = torch.fx.experimental._config
    cache: Any = torch._dynamo.config
    with sizes.patch(backed_size_oblivious=True), cache.patch(fake_tensor_cache_enabled=False):
        yield


def write_program(graph: Graph, path: Path) -> None:
    """Trace a graph and write its program, weights included."""
    torch.export.save(trace(graph), path)
