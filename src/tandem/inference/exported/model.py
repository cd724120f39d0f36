"""A model whose graphs another program computes, under every search."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.inference.exported.description import (
    CTC,
    ENCODER,
    HYPOTHESES,
    NEXT,
    SOURCES,
    START,
    STEP,
    Description,
)
from tandem.inference.exported.runtimes import Graph
from tandem.models.copying import Copied
from tandem.models.sequence_model import Predicted, SequenceModel

OpenGraphs = Callable[[torch.device], Mapping[str, Graph]]
"""The graphs on a device; an InputError if they cannot be computed there."""


class ExportedModel(SequenceModel):
    """Encoder, start, step and CTC as graphs, of which it knows nothing but names.

    Its state holds what sources share apart from what hypotheses carry, so that search repeats,
    reorders and selects rows as it does elsewhere. Several target symbols are read one by one.

    :param description: how the graphs fit together.
    :param open_graphs: opens them on a device.
    :param device_types: where they can be computed.
    :param vocabulary_size: V that the target's tokenizer has.
    """

    def __init__(
        self,
        description: Description,
        open_graphs: OpenGraphs,
        *,
        device_types: tuple[str, ...],
        vocabulary_size: int,
    ) -> None:
        self._description, self._open_graphs = description, open_graphs
        self._device_types, self._vocabulary_size = device_types, vocabulary_size
        self.to(torch.device("cpu"))

    def to(self, device: torch.device) -> "ExportedModel":
        """Open the graphs on a device."""
        self._graphs = self._open_graphs(device)
        return self

    @property
    def device(self) -> torch.device:
        """Where it takes tensors: those of runtimes that are not torch's lie on the host."""
        return torch.device("cpu")

    @property
    def device_types(self) -> tuple[str, ...]:
        """Where the program that computes it can do so here."""
        return self._device_types

    @property
    def vocabulary_size(self) -> int:
        """V, target symbols."""
        return self._vocabulary_size

    @property
    def normalized(self) -> bool:
        """Whether the scores are log-probabilities already; else they are logits."""
        return self._description.normalized

    @property
    def has_weights(self) -> bool:
        """Whether a step gives attention weights."""
        return self._description.attention

    @property
    def has_ctc(self) -> bool:
        """Whether there is a graph for CTC."""
        return CTC in self._graphs

    def encode(self, source: Tensor, source_mask: Tensor) -> Memory:
        """Source and mask (B, S) -> memory."""
        read = source if source.dtype == torch.long else source.float()  # of pictures bytes come
        given = self._graphs[ENCODER]({"source": read, "source_mask": source_mask})
        states, mask = given["states"], given["mask"]
        fits = mask.dim() == 2 and mask.dtype == torch.bool and states.shape[:2] == mask.shape
        self._check(ENCODER, given, fits and len(mask) == len(given["summary"]) == len(source))
        return Memory(given["states"], given["mask"], given["summary"], given.get("source_ids"))

    def start(self, memory: Memory) -> State:
        """The state before the first symbol; the step's number is counted here."""
        found = self._graphs[START](_by_name(memory))
        self._check(START, found, all(len(one) == len(memory.mask) for one in found.values()))
        return State(
            fixed=self._of_rows(SOURCES, found), carry=(0, self._of_rows(HYPOTHESES, found))
        )

    def decode(self, target_in: Tensor, state: State) -> Predicted:
        """target_in (N, T) -> scores (N, T, V) as features, and the state after all T."""
        scores, weights = [], []
        for tokens in target_in.unbind(1):
            given, state = self._step(tokens, state)
            scores.append(given["scores"])
            if self.has_weights:
                weights.append(given["weights"])
        attended = (lambda: torch.stack(weights, 1)) if self.has_weights else None
        return Predicted(torch.stack(scores, 1), None, attended, state)

    def scores(self, features: Tensor, copied: Copied | None) -> Tensor:
        """The features are the scores, which the graph has made."""
        return features

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N,) ids -> scores (N, V) of what comes next, and the next state."""
        given, state = self._step(tokens, state)
        return given["scores"], state

    def ctc_log_probs(self, memory: Memory) -> Tensor:
        """What CTC says at each memory position: (B, S, V)."""
        (log_probs,) = self._graphs[CTC](_by_name(memory)).values()
        expected = (*memory.mask.shape, self._vocabulary_size)
        self._check(CTC, {"log_probs": log_probs}, log_probs.shape == expected)
        return log_probs

    def _step(self, tokens: Tensor, state: State) -> tuple[dict[str, Tensor], State]:
        position, carried = state.carry
        given = {"tokens": tokens, **state.fixed, **carried}
        if self._description.position:
            given["position"] = torch.tensor(position)
        found = self._graphs[STEP](given)
        rows = {len(one) for name, one in found.items() if self._kind(name) == HYPOTHESES}
        fits = found["scores"].shape == (len(tokens), self._vocabulary_size)
        self._check(STEP, found, fits and rows <= {len(tokens)})
        after = {
            name.removeprefix(NEXT): tensor
            for name, tensor in found.items()
            if name.startswith(NEXT)
        }
        fixed, carried = (
            {name: after.get(name, tensor) for name, tensor in tensors.items()}
            for tensors in (state.fixed, carried)
        )
        return found, State(fixed, carry=(position + 1, carried))

    def _of_rows(self, rows: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: one for name, one in tensors.items() if self._kind(name) == rows}

    def _kind(self, name: str) -> str | None:
        """What the rows of the state's tensors are; None of another tensor."""
        return self._description.rows.get(name.removeprefix(NEXT))

    def _check(self, graph: str, found: Mapping[str, Tensor], fits: bool) -> None:
        """Refuse what a graph gives if it is no answer to what it was given."""
        if not fits:
            file = self._description.graphs[graph].file
            shapes = ", ".join(f"{name} {tuple(one.shape)}" for name, one in found.items())
            raise InputError(
                f"The graph {file} gives {shapes}, which does not fit the bundle's vocabulary of "
                f"{self._vocabulary_size:,} symbols or its own inputs; export the run again."
            )


def _by_name(memory: Memory) -> dict[str, Tensor]:
    """A memory as graphs take it."""
    tensors = {"states": memory.states, "mask": memory.mask, "summary": memory.summary}
    return tensors if memory.source is None else tensors | {"source_ids": memory.source}
