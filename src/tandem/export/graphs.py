"""A trained model as graphs: encoder, start, step, and CTC if it has that."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from tandem.core.errors import InputError, reason_of
from tandem.core.memory import Memory
from tandem.core.types import SPECIAL_IDS
from tandem.export.modules import Encode, ReadOut, Start, StepOnce
from tandem.export.state import PAST, POSITION, POSITIONS, StateLayout, StateTensor, lay_out
from tandem.inference.exported.description import (
    CTC,
    ENCODER,
    HYPOTHESES,
    LOG_PROBS,
    LOGITS,
    NEXT,
    SOURCES,
    START,
    STEP,
)
from tandem.models.seq2seq import Seq2Seq

LENGTH = "length"
"""S, the longest source of a batch."""
ROWS, WIDTH, STEPS = 2, 3, 3
"""Of the example: sources, hypotheses of each, and symbols written so far."""
LENGTHS = (24, 16, 8, 4)
"""Of its sources; the longest that the model reads is taken."""
Shape = tuple[int | str, ...]


@dataclass(frozen=True)
class TensorSpec:
    """What goes into or comes out of a graph."""

    name: str
    dtype: str
    """As numpy names it."""
    shape: Shape
    """Sizes; a name where they differ from call to call."""

    @classmethod
    def of(cls, name: str, dtype: torch.dtype, *shape: int | str) -> "TensorSpec":
        """By torch's type."""
        return cls(name, str(dtype).removeprefix("torch."), shape)


@dataclass(frozen=True)
class Graph:
    """One graph of a model, and a call of it."""

    name: str
    module: nn.Module
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    example: tuple[Tensor, ...]
    """The inputs of a call."""


@dataclass(frozen=True)
class ModelGraphs:
    """A model taken apart."""

    graphs: tuple[Graph, ...]
    layout: StateLayout
    normalized: bool

    def description(self, files: dict[str, str]) -> dict[str, Any]:
        """What a runtime must know, as plain data.

        :param files: of each graph.
        """
        step = next(graph for graph in self.graphs if graph.name == STEP)
        return {
            "graphs": files,
            "inputs": {graph.name: _plain(graph.inputs) for graph in self.graphs},
            "outputs": {graph.name: _plain(graph.outputs) for graph in self.graphs},
            "state": [{"name": tensor.name, "rows": tensor.rows} for tensor in self.layout.used],
            "position": self.layout.reads_position,
            "scores": LOG_PROBS if self.normalized else LOGITS,
            "attention": any(spec.name == "weights" for spec in step.outputs),
        }


@torch.enable_grad()  # where caches hold what was written and nothing else
def take_apart(model: Seq2Seq, *, source_size: int) -> ModelGraphs:
    """Make a model's graphs ready to be traced.

    :param model: in evaluation mode.
    :param source_size: symbols of the source's vocabulary, or the width of its vectors.
    :raises InputError: if it cannot read a batch of any length, or its decoder has no graph.
    """
    if not model.decoder.can_be_exported:
        raise InputError(
            "This model has a pretrained decoder, which cannot be exported, as the size of its "
            "cache changes at each step; use the bundle itself or tandem serve."
        )
    source, mask = _example_source(model, source_size)
    memory, shorter = model.encode(source, mask), _half(model, source, mask)
    layout = _layout_of(model, memory, shorter)
    state = _example_state(model, memory, layout)
    tokens = torch.arange(ROWS * WIDTH) % model.target_table.num_embeddings
    layout = layout.reading(_read(StepOnce(model, layout), tokens, state))
    step = _step_graph(model, layout, tokens, state)
    encoder = _encoder_graph(model, source, mask, memory)
    start = Graph(
        START,
        Start(model, layout),
        inputs=encoder.outputs,
        outputs=tuple(_at_start(tensor) for tensor in layout.used),
        example=_fields(memory),
    )
    graphs = [encoder, start, step]
    if model.ctc is not None:
        graphs.append(_ctc_graph(model, memory))
    return ModelGraphs(tuple(graphs), layout, model.normalized)


def _example_source(model: Seq2Seq, source_size: int) -> tuple[Tensor, Tensor]:
    """A batch that the model reads, with padding."""
    media = model.frontend.media
    generator = torch.Generator().manual_seed(0)
    for length in LENGTHS:
        if media == "text":
            source = torch.randint(source_size, (ROWS, length), generator=generator)
        else:
            source = torch.rand((ROWS, length, source_size), generator=generator)
        mask = torch.ones(ROWS, length, dtype=torch.bool)
        mask[1:, length // 2 :] = False
        try:
            model.encode(source, mask)
        except InputError:
            continue
        return source, mask
    raise InputError(
        f"The model reads no source of {LENGTHS[-1]} positions, so it cannot be exported; train it "
        "for longer ones, or export another model."
    )


def _half(model: Seq2Seq, source: Tensor, mask: Tensor) -> Memory:
    """The memory of the first half of sources.

    :raises InputError: if the model reads sources of one length alone.
    """
    half = source.size(1) // 2
    try:
        return model.encode(source[:, :half], mask[:, :half])
    except InputError as error:
        raise InputError(
            "An export takes sources of any length, but this model does not "
            f"({reason_of(error)}); use the run as it is, or train a model with another encoder."
        ) from error


def _layout_of(model: Seq2Seq, memory: Memory, shorter: Memory) -> StateLayout:
    """What the model's states are made of."""
    states = [model.start(memory)]
    for _ in range(2):
        tokens = torch.full((ROWS,), SPECIAL_IDS.bos)
        states.append(model.step(tokens, states[-1])[1])
    return lay_out(states, model.start(shorter))


def _example_state(model: Seq2Seq, memory: Memory, layout: StateLayout) -> dict[str, Tensor]:
    """The tensors of a state after some steps, with several hypotheses of each source."""
    shared = layout.by_name(model.start(memory))
    rows = tuple(part.repeat_interleave(WIDTH, 0) for part in _fields(memory))
    state = model.start(Memory(*rows))
    for step in range(STEPS):
        tokens = (torch.arange(ROWS * WIDTH) + step) % model.target_table.num_embeddings
        _, state = model.step(tokens, state)
    own = layout.by_name(state)
    tensors = {
        tensor.name: (shared if tensor.rows == SOURCES else own)[tensor.name]
        for tensor in layout.tensors
    }
    return {POSITION: torch.tensor(STEPS), **tensors}


def _read(step: StepOnce, tokens: Tensor, state: dict[str, Tensor]) -> set[str]:
    """The names of what scores and weights depend on, now or in later steps."""
    layout = step.layout
    with torch.no_grad():
        traced = make_fx(functionalize(step))(tokens, *state.values()).graph
    placeholders = [node for node in traced.nodes if node.op == "placeholder"][1:]
    names = dict(zip(placeholders, state, strict=True))
    (outputs,) = next(node for node in traced.nodes if node.op == "output").args
    said = len(outputs) - len(layout.changing)
    after = dict(zip((tensor.name for tensor in layout.changing), outputs[said:], strict=True))
    agenda, seen = list(outputs[:said]), set()
    while agenda:
        node = agenda.pop()
        if node in seen:
            continue
        seen.add(node)
        agenda += node.all_input_nodes
        if names.get(node) in after:
            agenda.append(after[names[node]])
    return {names[node] for node in seen if node in names}


def _encoder_graph(model: Seq2Seq, source: Tensor, mask: Tensor, memory: Memory) -> Graph:
    width = source.shape[2:]
    size = memory.states.size(2)
    dtype = memory.states.dtype
    outputs = [
        TensorSpec.of("states", dtype, SOURCES, POSITIONS, size),
        TensorSpec.of("mask", torch.bool, SOURCES, POSITIONS),
        TensorSpec.of("summary", dtype, SOURCES, size),
    ]
    if memory.source is not None:
        outputs.append(TensorSpec.of("source_ids", torch.long, SOURCES, POSITIONS))
    inputs = (
        TensorSpec.of("source", source.dtype, SOURCES, LENGTH, *width),
        TensorSpec.of("source_mask", torch.bool, SOURCES, LENGTH),
    )
    return Graph(ENCODER, Encode(model), inputs, tuple(outputs), (source, mask))


def _step_graph(
    model: Seq2Seq, layout: StateLayout, tokens: Tensor, state: dict[str, Tensor]
) -> Graph:
    module = StepOnce(model, layout)
    inputs = [TensorSpec.of("tokens", torch.long, HYPOTHESES)]
    if layout.reads_position:
        inputs.append(TensorSpec.of(POSITION, torch.long))
    inputs += [_state_spec(tensor) for tensor in layout.used]
    example = (tokens, *(state[spec.name] for spec in inputs[1:]))
    scores, *others = module(*example)
    outputs = [TensorSpec.of("scores", scores.dtype, HYPOTHESES, scores.size(1))]
    if len(others) > len(layout.changing):
        outputs.append(TensorSpec.of("weights", others[0].dtype, HYPOTHESES, POSITIONS))
    for tensor in layout.changing:
        shape = tuple(f"{PAST}_and_this" if size == PAST else size for size in tensor.shape)
        outputs.append(_state_spec(replace(tensor, name=f"{NEXT}{tensor.name}", shape=shape)))
    return Graph(STEP, module, tuple(inputs), tuple(outputs), example)


def _ctc_graph(model: Seq2Seq, memory: Memory) -> Graph:
    module = ReadOut(model)
    size = memory.states.size(2)
    (log_probs,) = module(memory.states)
    return Graph(
        CTC,
        module,
        inputs=(TensorSpec.of("states", memory.states.dtype, SOURCES, POSITIONS, size),),
        outputs=(
            TensorSpec.of("log_probs", log_probs.dtype, SOURCES, POSITIONS, log_probs.size(2)),
        ),
        example=(memory.states,),
    )


def _state_spec(tensor: StateTensor) -> TensorSpec:
    return TensorSpec.of(tensor.name, tensor.dtype, *tensor.shape)


def _at_start(tensor: StateTensor) -> TensorSpec:
    """One hypothesis a source, and nothing written."""
    sizes: dict[int | str, int | str] = {HYPOTHESES: SOURCES, PAST: 0}
    shape = tuple(sizes.get(size, size) for size in tensor.shape)
    return _state_spec(replace(tensor, shape=shape))


def _fields(memory: Memory) -> tuple[Tensor, ...]:
    """The tensors of a memory."""
    fields = (memory.states, memory.mask, memory.summary, memory.source)
    return tuple(field for field in fields if field is not None)


def _plain(specs: Iterable[TensorSpec]) -> list[dict[str, Any]]:
    return [asdict(spec) for spec in specs]
