"""A study: one question, as a file in the format of W&B's sweeps."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tandem.core.errors import InputError, nearest, reason_of, written
from tandem.sweeps.parameters import Choice, Parameter, read_parameter

ARGUMENTS = "${args_no_hyphens}"
"""Where W&B's agent puts the parameters of a trial."""
COMMAND = ["tandem", "train", ARGUMENTS]
METHODS = ("grid", "random", "bayes")
GOALS = ("minimize", "maximize")
KEYS = (
    "name",
    "description",
    "program",
    "project",
    "entity",
    "command",
    "method",
    "metric",
    "parameters",
    "early_terminate",
    "run_cap",
)

Point = dict[str, str]
"""A value for each parameter that varies."""


@dataclass(frozen=True)
class Halving:
    """When trials are stopped: after ``first`` validations, then after each ``factor`` as many.

    At each of them the best of every ``factor`` trials goes on.
    """

    first: int
    factor: int


@dataclass(frozen=True)
class Study:
    """What a study's file says.

    :param name: also the group of its runs.
    :param parameters: what varies between trials.
    :param fixed: overrides of every trial, by their keys.
    :param halving: None to let every trial train to its end.
    :param cap: most trials; None for no limit.
    """

    name: str
    method: Literal["grid", "random", "bayes"]
    metric: str
    goal: Literal["minimize", "maximize"]
    parameters: dict[str, Parameter]
    fixed: Point
    halving: Halving | None
    cap: int | None

    def grid(self) -> list[Point]:
        """Every combination of values, the last parameter changing fastest."""
        ends = (parameter.ends() for parameter in self.parameters.values())
        return [
            dict(zip(self.parameters, texts, strict=True)) for texts in itertools.product(*ends)
        ]

    def probes(self) -> Iterator[Point]:
        """Few points in which each value that may be wrong by itself comes at least once."""
        probes = {name: parameter.probes() for name, parameter in self.parameters.items()}
        first = {name: texts[0] for name, texts in probes.items()}
        yield first
        for name, texts in probes.items():
            yield from ({**first, name: text} for text in texts[1:])


def read_study(path: Path) -> Study:
    """Read a study's file.

    :raises InputError: if there is none, or it says what ``tandem sweep`` cannot do.
    """
    content = _load(path)
    for key in content:
        if key not in KEYS:
            raise InputError(
                f"The key {key} of {path} is not one of a sweep{nearest(str(key), KEYS)}; it may "
                f"have {', '.join(KEYS)}."
            )
    method = content.get("method")
    if method not in METHODS:
        raise InputError(
            f"`method` in {path} must be one of {', '.join(METHODS)}, not {written(method)}."
        )
    specs = content.get("parameters")
    if not isinstance(specs, dict) or not specs:
        raise InputError(f"{path} needs `parameters`: a name and its values for each of them.")
    parameters = {str(name): read_parameter(str(name), spec) for name, spec in specs.items()}
    constants = {name: one.ends()[0] for name, one in parameters.items() if len(one.ends()) == 1}
    varying = {name: one for name, one in parameters.items() if name not in constants}
    ranges = [name for name, one in varying.items() if not isinstance(one, Choice)]
    if method == "grid" and ranges:
        raise InputError(f"method: grid needs `values`, but {ranges[0]} in {path} is a range.")
    metric, goal = _metric(content.get("metric"), path)
    return Study(
        name=str(content.get("name", path.stem)),
        method=method,
        metric=metric,
        goal=goal,
        parameters=varying,
        fixed=_fixed(content, path) | constants,
        halving=_halving(content.get("early_terminate"), path),
        cap=_whole(content["run_cap"], "run_cap", path) if "run_cap" in content else None,
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The study {path} cannot be read ({reason_of(error)}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = reason_of(error)
        raise InputError(f"The study {path} is not YAML ({reason}); correct it.") from error
    if not isinstance(content, dict):
        raise InputError(f"The study {path} must hold keys such as `method` and `parameters`.")
    return content


def _metric(spec: Any, path: Path) -> tuple[str, Any]:
    """Name and goal; W&B minimizes where no goal is given."""
    if not isinstance(spec, dict) or "name" not in spec or spec.keys() - {"name", "goal"}:
        raise InputError(
            f"{path} needs `metric` with the keys `name` and `goal`, such as "
            "{name: val/loss, goal: minimize}."
        )
    goal = spec.get("goal", "minimize")
    if goal not in GOALS:
        raise InputError(
            f"metric.goal in {path} must be {' or '.join(GOALS)}, not {written(goal)}."
        )
    return str(spec["name"]), goal


def _fixed(content: dict[str, Any], path: Path) -> Point:
    """Overrides that stand in ``command``, and the project."""
    command = content.get("command", [])
    if not isinstance(command, list) or command[:2] != COMMAND[:2] or ARGUMENTS not in command:
        raise InputError(
            f"`command` in {path} must be [{', '.join(COMMAND)}], with KEY=VALUE behind train for "
            "what all trials have."
        )
    overrides = [str(word) for word in command[2:] if word != ARGUMENTS]
    for override in overrides:
        if "=" not in override:
            raise InputError(f"`command` in {path} has {override}; write it as KEY=VALUE.")
    account = [
        f"logger.wandb.{key}={content[key]}" for key in ("project", "entity") if key in content
    ]
    return by_key([*account, *overrides])


def by_key(overrides: list[str]) -> Point:
    """Overrides by their keys; the last of one key counts."""
    return {key: value for key, _, value in (override.partition("=") for override in overrides)}


def _halving(spec: Any, path: Path) -> Halving | None:
    """W&B's hyperband, which is what Optuna calls successive halving."""
    if spec is None:
        return None
    keys = {"type", "min_iter", "max_iter", "s", "eta"}
    if not isinstance(spec, dict) or spec.get("type") != "hyperband" or spec.keys() - keys:
        raise InputError(
            f"`early_terminate` in {path} must be of type: hyperband, with min_iter, or with "
            "max_iter and s, and with eta."
        )
    factor = _whole(spec.get("eta", 3), "early_terminate.eta", path)
    if "min_iter" in spec:
        first = _whole(spec["min_iter"], "early_terminate.min_iter", path)
    else:
        last, brackets = (
            _whole(spec.get(key), f"early_terminate.{key}", path) for key in ("max_iter", "s")
        )
        first = max(1, last // factor**brackets)
    if factor < 2:
        raise InputError(f"early_terminate.eta in {path} must be at least 2, not {factor}.")
    return Halving(first, factor)


def _whole(value: Any, key: str, path: Path) -> int:
    if not isinstance(value, int) or value < 1:
        raise InputError(f"{key} in {path} must be a whole number above 0, not {written(value)}.")
    return value
