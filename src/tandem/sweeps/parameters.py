"""What a parameter of a study may be, as Optuna draws it and as a command line has it."""

import math
from dataclasses import dataclass
from typing import Any

import optuna

from tandem.core.command_line import hydra_value
from tandem.core.errors import InputError, nearest, written

MOST_PROBES = 50
"""Texts of a parameter that are checked before the first trial."""

Trial = optuna.trial.Trial | optuna.trial.FrozenTrial


@dataclass(frozen=True)
class Choice:
    """One of several texts; a single one is a constant."""

    texts: tuple[str, ...]

    def suggest(self, trial: Trial, name: str) -> str:
        """Let Optuna choose a text."""
        return str(trial.suggest_categorical(name, self.texts))

    def ends(self) -> tuple[str, ...]:
        """All of them."""
        return self.texts

    def probes(self) -> tuple[str, ...]:
        """The first one and those of which one may be wrong where the others are right.

        Of whole numbers and of other numbers these are the smallest and the largest; of other
        texts all, or ``MOST_PROBES`` that are spread over them.
        """
        rest = {text for text in self.texts if not _is_number(text)}
        ends: set[str] = set()
        for kind in (str.isdecimal, lambda text: not text.isdecimal()):
            numbers = [text for text in self.texts if text not in rest and kind(text)]
            ends |= {min(numbers, key=float), max(numbers, key=float)} if numbers else set()
        spread = [text for text in self.texts if text in rest]
        chosen = set(spread[:: 1 + (len(spread) - 1) // MOST_PROBES] if spread else [])
        return tuple(text for text in self.texts if text in ends | chosen | {self.texts[0]})


@dataclass(frozen=True)
class IntRange:
    """A whole number between two, both included."""

    low: int
    high: int

    def suggest(self, trial: Trial, name: str) -> str:
        """Let Optuna draw a number."""
        return str(trial.suggest_int(name, self.low, self.high))

    def ends(self) -> tuple[str, ...]:
        """The smallest and the largest."""
        return str(self.low), str(self.high)

    def probes(self) -> tuple[str, ...]:
        """The ends."""
        return self.ends()


@dataclass(frozen=True)
class FloatRange:
    """A number between two, evenly by its value or by its logarithm, or in steps."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def suggest(self, trial: Trial, name: str) -> str:
        """Let Optuna draw a number."""
        return str(trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log))

    def ends(self) -> tuple[str, ...]:
        """The smallest and the largest."""
        return str(self.low), str(self.high)

    def probes(self) -> tuple[str, ...]:
        """The ends."""
        return self.ends()


Parameter = Choice | IntRange | FloatRange

KEYS = {
    "constant": {"value"},
    "categorical": {"values"},
    "int_uniform": {"min", "max"},
    "uniform": {"min", "max"},
    "q_uniform": {"min", "max", "q"},
    "log_uniform": {"min", "max"},
    "log_uniform_values": {"min", "max"},
}
"""The distributions of W&B that Optuna has as well, and the keys that each needs."""


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def read_parameter(name: str, spec: Any) -> Parameter:
    """Return what one entry under ``parameters`` says.

    :param name: its name, for messages.
    :param spec: its content as YAML has it.
    :raises InputError: if it is not in W&B's format, or Optuna cannot draw it.
    """
    where = f"parameters.{name}"
    if not isinstance(spec, dict):
        raise InputError(
            f"{where} must hold keys such as `values` or `min` and `max`, not {written(spec)}."
        )
    distribution = spec.get("distribution", _usual_distribution(spec))
    if distribution not in KEYS:
        raise InputError(
            f"{where} has the distribution {distribution}, which Optuna does not have"
            f"{nearest(str(distribution), KEYS)}; choose one of {', '.join(KEYS)}."
        )
    needed, given = KEYS[distribution], spec.keys() - {"distribution"}
    if given != needed:
        raise InputError(
            f"{where} ({distribution}) needs the keys {', '.join(sorted(needed))}, but has "
            f"{', '.join(sorted(map(str, given))) or 'none'}; correct them."
        )
    if distribution == "constant":
        return Choice((as_text(spec["value"], where),))
    if distribution == "categorical":
        return _choice(spec["values"], where)
    return _range(distribution, spec, where)


def _usual_distribution(spec: dict[str, Any]) -> str:
    """W&B's choice for an entry that names no distribution."""
    if "value" in spec:
        return "constant"
    if "values" in spec:
        return "categorical"
    ends = (spec.get("min"), spec.get("max"))
    return "int_uniform" if all(isinstance(end, int) for end in ends) else "uniform"


def _choice(values: Any, where: str) -> Choice:
    if not isinstance(values, list) or not values:
        raise InputError(
            f"{where}.values must be a list of at least one value, not {written(values)}."
        )
    return Choice(tuple(dict.fromkeys(as_text(value, where) for value in values)))


def _range(distribution: str, spec: dict[str, Any], where: str) -> Parameter:
    numbers = [spec["min"], spec["max"], spec.get("q", 1)]
    kinds = int if distribution == "int_uniform" else int | float
    if not all(isinstance(number, kinds) and math.isfinite(number) for number in numbers):
        raise InputError(
            f"{where} ({distribution}) must have {'whole ' if kinds is int else ''}numbers, not "
            f"{', '.join(map(str, numbers[: len(KEYS[distribution])]))}; YAML wants a point in "
            "numbers such as 1.0e-3."
        )
    low, high, step = numbers
    if distribution == "log_uniform":  # whose ends are exponents
        low, high = math.exp(low), math.exp(high)
    if not low < high or (distribution == "log_uniform_values" and low <= 0):
        raise InputError(
            f"{where} ({distribution}) goes from {low} to {high}; `min` must be less than `max`"
            f"{' and above 0' if distribution == 'log_uniform_values' else ''}."
        )
    if distribution == "int_uniform":
        return IntRange(low, high)
    if distribution != "q_uniform":
        return FloatRange(low, high, log=distribution.startswith("log"))
    if step <= 0 or not math.isclose((high - low) / step, round((high - low) / step)):
        raise InputError(
            f"{where}.q ({step}) must divide the way from {low} to {high} into whole steps."
        )
    return FloatRange(low, high, step=step)


def as_text(value: Any, where: str) -> str:
    """A value as a command line has it; W&B's agent writes the same, but for true and false."""
    if value is None:
        raise InputError(f"{where} holds null, which W&B passes as None; write 'null' in quotes.")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(_in_list(item, where) for item in value)}]"
    if isinstance(value, dict):
        raise InputError(f"{where} holds keys; write them in quotes, such as '{{a: 1}}'.")
    return str(value)


def _in_list(value: Any, where: str) -> str:
    """An item of a list, of which a text is what it is, whatever special characters it has."""
    return hydra_value(value) if isinstance(value, str) else as_text(value, where)
