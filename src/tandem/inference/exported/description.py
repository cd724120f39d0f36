"""What a bundle's config says, under ``export``, of the graphs in its folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

ENCODER, START, STEP, CTC = "encoder", "start", "step", "ctc"
SOURCES, HYPOTHESES = "sources", "hypotheses"
LOGITS, LOG_PROBS = "logits", "log_probs"
MEMORY = ("states", "mask", "summary", "source_ids")
"""What an encoder gives; the last one if the model copies."""
NEXT = "next_"
"""How names of a step's outputs begin that are inputs of the step after it."""


@dataclass(frozen=True)
class GraphSpec:
    """One graph."""

    file: str
    inputs: tuple[str, ...]
    """Names, in the graph's order."""
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """How the graphs of a model fit together; see ``docs/guides/export.md``."""

    format: str
    graphs: Mapping[str, GraphSpec]
    """Encoder, start, step, and ctc if the model has that layer."""
    rows: Mapping[str, str]
    """Of each tensor of the state: sources (B), or hypotheses (N = B x K)."""
    position: bool
    """Whether a step asks how many symbols were written before it."""
    normalized: bool
    """Whether scores are log-probabilities; else they are logits."""
    attention: bool
    """Whether a step gives the attention's weights."""

    @classmethod
    def from_config(cls, section: Any) -> Self:
        """Read the section of a config.

        :raises ValueError: if it is not usable, with what is wrong.
        """
        files = _each("graphs", section, lambda value: _is(str, value))
        if not {ENCODER, START, STEP} <= {*files} <= {ENCODER, START, STEP, CTC}:
            raise ValueError("`graphs` must be encoder, start, step, and ctc or not")
        inputs, outputs = (_each(key, section, _names) for key in ("inputs", "outputs"))
        if not inputs.keys() == outputs.keys() == files.keys():
            raise ValueError("`inputs` and `outputs` must be of the same graphs as `graphs`")
        state = _is(list, section.get("state"))
        rows = {_is(str, _entry(one, "name")): _is(str, _entry(one, "rows")) for one in state}
        if len(rows) != len(state) or not {*rows.values()} <= {SOURCES, HYPOTHESES}:
            raise ValueError("`state` must name tensors of sources or hypotheses, each once")
        scores = section.get("scores")
        if scores not in (LOGITS, LOG_PROBS):
            raise ValueError(f"`scores` must be {LOGITS} or {LOG_PROBS}")
        one = cls(
            format=_is(str, section.get("format")),
            graphs={
                name: GraphSpec(file, inputs[name], outputs[name]) for name, file in files.items()
            },
            rows=rows,
            position=_is(bool, section.get("position")),
            normalized=scores == LOG_PROBS,
            attention=_is(bool, section.get("attention")),
        )
        one._check_names()
        return one

    def _check_names(self) -> None:
        """Refuse graphs that do not fit together."""
        takes = {name: {*graph.inputs} for name, graph in self.graphs.items()}
        gives = {name: {*graph.outputs} for name, graph in self.graphs.items()}
        memory, state = gives[ENCODER], {*self.rows}
        own_in, own_out = {"tokens"}, {"scores"}
        own_in |= {"position"} if self.position else set()
        own_out |= {"weights"} if self.attention else set()
        after = {f"{NEXT}{name}" for name in state}
        for name, fits in {
            ENCODER: takes[ENCODER] == {"source", "source_mask"}
            and {"states", "mask", "summary"} <= memory <= {*MEMORY},
            START: takes[START] <= memory and gives[START] == state,
            STEP: takes[STEP] == own_in | state and own_out <= gives[STEP] <= own_out | after,
            CTC: CTC not in takes or (takes[CTC] <= memory and len(gives[CTC]) == 1),
        }.items():
            if not fits:
                raise ValueError(f"inputs or outputs of the graph {name} do not fit to the others")


def _each(key: str, section: Any, read: Callable[[Any], Any]) -> dict[str, Any]:
    """What is said of each graph under a key."""
    return {name: read(value) for name, value in _is(dict, _entry(section, key)).items()}


def _names(tensors: Any) -> tuple[str, ...]:
    """The names of a graph's inputs or outputs."""
    return tuple(_is(str, _entry(tensor, "name")) for tensor in _is(list, tensors))


def _entry(data: Any, key: str) -> Any:
    if key not in _is(dict, data):
        raise ValueError(f"`{key}` is missing")
    return data[key]


def _is(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{value!r:.60} stands where a {kind.__name__} is expected")
    return value
