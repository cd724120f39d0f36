"""Files in W&B's format: what is read, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from optuna.trial import FixedTrial

from tandem.core.errors import InputError
from tandem.sweeps.parameters import Choice, FloatRange, IntRange, Parameter, read_parameter
from tandem.sweeps.study import Halving, by_key, read_study

STUDY = {
    "command": ["tandem", "train", "dataset=reverse", "${args_no_hyphens}", "seed=3"],
    "method": "grid",
    "metric": {"name": "val/bleu", "goal": "maximize"},
    "parameters": {
        "encoder": {"values": ["gru", "lstm"]},
        "test": {"value": False},
        "decoder.num_layers": {"values": [1, 2, 2]},
    },
}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"value": 0.5}, Choice(("0.5",))),
        ({"value": True, "distribution": "constant"}, Choice(("true",))),
        ({"values": ["a", 1, [2, "b"]]}, Choice(("a", "1", "[2,b]"))),
        ({"min": 1, "max": 3}, IntRange(1, 3)),
        ({"min": 1, "max": 3.5}, FloatRange(1, 3.5)),
        ({"min": 1, "max": 3, "distribution": "uniform"}, FloatRange(1, 3)),
        (
            {"min": 0.2, "max": 1.4, "q": 0.2, "distribution": "q_uniform"},
            FloatRange(0.2, 1.4, step=0.2),
        ),
        (
            {"min": 0.1, "max": 10, "distribution": "log_uniform_values"},
            FloatRange(0.1, 10, log=True),
        ),
        (
            {"min": 0, "max": 1, "distribution": "log_uniform"},
            FloatRange(1.0, 2.718281828459045, log=True),
        ),
    ],
)
def test_parameters(spec: dict[str, Any], expected: Parameter) -> None:
    parameter = read_parameter("x", spec)
    assert parameter == expected
    low, *_ = parameter.ends()
    value = low if isinstance(parameter, Choice) else float(low)
    assert float_or_text(parameter.suggest(FixedTrial({"x": value}), "x")) == float_or_text(low)


def float_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (3, "parameters.x must hold keys such as `values` or `min` and `max`, not 3."),
        (
            {"distribution": "beta", "a": 1, "b": 1},
            "parameters.x has the distribution beta, which Optuna does not have; choose one of "
            "constant, categorical, int_uniform, uniform, q_uniform, log_uniform, "
            "log_uniform_values.",
        ),
        (
            {"distribution": "uniforn", "min": 0, "max": 1},
            "parameters.x has the distribution uniforn, which Optuna does not have (did you mean "
            "uniform?); choose one of constant, categorical, int_uniform, uniform, q_uniform, "
            "log_uniform, log_uniform_values.",
        ),
        (
            {"min": 1},
            "parameters.x (uniform) needs the keys max, min, but has min; correct them.",
        ),
        (
            {"values": [1], "probabilities": [1]},
            "parameters.x (categorical) needs the keys values, but has probabilities, values; "
            "correct them.",
        ),
        ({"values": []}, "parameters.x.values must be a list of at least one value, not []."),
        (
            {"values": [None]},
            "parameters.x holds null, which W&B passes as None; write 'null' in quotes.",
        ),
        (
            {"value": {"a": 1}},
            "parameters.x holds keys; write them in quotes, such as '{a: 1}'.",
        ),
        (
            {"min": "1e-3", "max": 1},
            "parameters.x (uniform) must have numbers, not 1e-3, 1; YAML wants a point in numbers "
            "such as 1.0e-3.",
        ),
        (
            {"min": 3, "max": 1},
            "parameters.x (int_uniform) goes from 3 to 1; `min` must be less than `max`.",
        ),
        (
            {"min": 0.0, "max": 1, "distribution": "log_uniform_values"},
            "parameters.x (log_uniform_values) goes from 0.0 to 1; `min` must be less than `max` "
            "and above 0.",
        ),
        (
            {"min": 0, "max": 1, "q": 0.3, "distribution": "q_uniform"},
            "parameters.x.q (0.3) must divide the way from 0 to 1 into whole steps.",
        ),
    ],
)
def test_bad_parameters(spec: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_parameter("x", spec)
    assert str(caught.value) == message


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**STUDY, **changes}))
    return path


def test_a_study(tmp_path: Path) -> None:
    study = read_study(write(tmp_path))
    assert (study.name, study.method, study.metric) == ("mine", "grid", "val/bleu")
    assert study.fixed == {"dataset": "reverse", "seed": "3", "test": "false"}
    assert (study.halving, study.cap) == (None, None)
    points = [("gru", "1"), ("gru", "2"), ("lstm", "1"), ("lstm", "2")]
    names = ("decoder.num_layers", "encoder")
    assert {tuple(point[name] for name in names[::-1]) for point in study.grid()} == set(points)
    assert len(study.grid()) == 4
    assert list(study.probes()) == [
        {"decoder.num_layers": "1", "encoder": "gru"},
        {"decoder.num_layers": "2", "encoder": "gru"},
        {"decoder.num_layers": "1", "encoder": "lstm"},
    ]


@pytest.mark.parametrize(
    ("spec", "halving"),
    [
        ({"type": "hyperband", "min_iter": 2}, Halving(2, 3)),
        ({"type": "hyperband", "max_iter": 27, "s": 2}, Halving(3, 3)),
        ({"type": "hyperband", "max_iter": 8, "s": 4, "eta": 2}, Halving(1, 2)),
    ],
)
def test_early_termination(tmp_path: Path, spec: dict[str, Any], halving: Halving) -> None:
    assert read_study(write(tmp_path, early_terminate=spec)).halving == halving


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"methd": "grid"},
            "The key methd of {path} is not one of a sweep (did you mean method?); it may have "
            "name, description, program, project, entity, command, method, metric, parameters, "
            "early_terminate, run_cap.",
        ),
        ({"method": "best"}, "`method` in {path} must be one of grid, random, bayes, not best."),
        (
            {"metric": None},
            "{path} needs `metric` with the keys `name` and `goal`, such as "
            "{{name: val/loss, goal: minimize}}.",
        ),
        (
            {"metric": {"name": "val/loss", "goal": "low"}},
            "metric.goal in {path} must be minimize or maximize, not low.",
        ),
        (
            {"parameters": {}},
            "{path} needs `parameters`: a name and its values for each of them.",
        ),
        (
            {"parameters": {"seed": {"min": 1, "max": 2}}},
            "method: grid needs `values`, but seed in {path} is a range.",
        ),
        (
            {"command": ["python", "${program}", "${args}"]},
            "`command` in {path} must be [tandem, train, ${{args_no_hyphens}}], with KEY=VALUE "
            "behind train for what all trials have.",
        ),
        (
            {"command": ["tandem", "train", "--multirun", "${args_no_hyphens}"]},
            "`command` in {path} has --multirun; write it as KEY=VALUE.",
        ),
        (
            {"early_terminate": {"type": "median"}},
            "`early_terminate` in {path} must be of type: hyperband, with min_iter, or with "
            "max_iter and s, and with eta.",
        ),
        (
            {"early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 1}},
            "early_terminate.eta in {path} must be at least 2, not 1.",
        ),
        ({"run_cap": 0}, "run_cap in {path} must be a whole number above 0, not 0."),
    ],
)
def test_bad_studies(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        read_study(path)
    assert str(caught.value) == message.format(path=path)


def test_files_that_are_no_studies(tmp_path: Path) -> None:
    path = tmp_path / "no.yaml"
    with pytest.raises(InputError, match=r"The study .*no\.yaml cannot be read \(No such file"):
        read_study(path)
    path.write_text("a: [")
    with pytest.raises(InputError, match=r"The study .*no\.yaml is not YAML \(.*\); correct it\."):
        read_study(path)
    path.write_text("- a")
    with pytest.raises(InputError, match="must hold keys such as `method` and `parameters`"):
        read_study(path)


def test_the_last_override_of_a_key_counts() -> None:
    assert by_key(["a=1", "b=x=y", "a=2"]) == {"a": "2", "b": "x=y"}
