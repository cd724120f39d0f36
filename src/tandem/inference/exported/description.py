"""What a bundle's config says, under ``export``, of the graphs in its folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

ENCODER, START, STEP, CTC = "encoder", "start", "step", "ctc"
SOURCES, HYPOTHESES = "sources", "hypotheses"
LOGITS, LOG_PROBS = "logits", "log_probs"
NEXT = "next_"
"""How names of a step's outputs begin that are inputs of the step after it."""


@dataclass(frozen=True)
class Description:
    """How the graphs of a model fit together; see ``docs/export.md``."""

    format: str
    files: Mapping[str, str]
    """Of each graph: encoder, start, step, and ctc if the model has that layer."""
    inputs: Mapping[str, tuple[str, ...]]
    """Names, of each graph."""
    outputs: Mapping[str, tuple[str, ...]]
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
        texts = _each("graphs", section, lambda value: _is(str, value))
        names = {*texts}
        if not {ENCODER, START, STEP} <= names <= {ENCODER, START, STEP, CTC}:
            raise ValueError("`graphs` must be encoder, start, step, and ctc or not")
        inputs, outputs = (_each(key, section, _names) for key in ("inputs", "outputs"))
        if not inputs.keys() == outputs.keys() == names:
            raise ValueError("`inputs` and `outputs` must be of the same graphs as `graphs`")
        state = section.get("state")
        _is(list, state)
        rows = {_is(str, _entry(one, "name")): _entry(one, "rows") for one in state}
        if len(rows) != len(state) or not {*rows.values()} <= {SOURCES, HYPOTHESES}:
            raise ValueError("`state` must name tensors of sources or hypotheses, each once")
        scores = section.get("scores")
        if scores not in (LOGITS, LOG_PROBS):
            raise ValueError(f"`scores` must be {LOGITS} or {LOG_PROBS}")
        one = cls(
            format=_is(str, section.get("format")),
            files=texts,
            inputs=inputs,
            outputs=outputs,
            rows=rows,
            position=_is(bool, section.get("position")),
            normalized=scores == LOG_PROBS,
            attention=_is(bool, section.get("attention")),
        )
        one._check_names()
        return one

    def _check_names(self) -> None:
        """Refuse graphs that do not fit together."""
        memory, state = {*self.outputs[ENCODER]}, {*self.rows}
        step = {*self.inputs[STEP]} - {"tokens", "position"}
        after = {*self.outputs[STEP]} - {"scores", "weights"}
        for name, fits in {
            "the encoder's": {"states", "mask", "summary"} <= memory,
            "start's": {*self.inputs[START]} <= memory and {*self.outputs[START]} == state,
            "the step's": step == state and after <= {f"{NEXT}{name}" for name in state},
            "the step's own": ("position" in self.inputs[STEP]) == self.position
            and ("weights" in self.outputs[STEP]) == self.attention
            and "tokens" in self.inputs[STEP]
            and "scores" in self.outputs[STEP],
            "ctc's": CTC not in self.files
            or ({*self.inputs[CTC]} <= memory and len(self.outputs[CTC]) == 1),
        }.items():
            if not fits:
                raise ValueError(f"{name} inputs or outputs do not fit to the others")


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
