"""Every study of ``sweeps/`` fits the config, and W&B's agent would run the same trainings."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

from tandem.commands import sweep
from tandem.commands.arguments import check_for_trainings, split_arguments
from tandem.config import launch
from tandem.core.errors import InputError
from tandem.sweeps.study import read_study

STUDIES = sorted((Path(__file__).parents[2] / "sweeps").glob("*.yaml"))


def plan(path: Path, *overrides: str) -> sweep.Plan:
    return sweep.Plan(read_study(path), Path("outputs"), list(overrides))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_value_composes_to_what_fits(path: Path) -> None:
    assert sweep.check_points(plan(path))[0] == ["wandb", "csv"]
    assert f"# tandem sweep sweeps/{path.name} " in path.read_text()
    assert read_study(path).name == path.stem


GRIDS = [path for path in STUDIES if read_study(path).method == "grid"]


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.stem)
def test_every_point_of_a_grid_is_a_training_of_its_own(path: Path) -> None:
    points = read_study(path).grid()
    assert len({tuple(plan(path).choices(point)) for point in points}) == len(points)
    points = points[:: 1 + len(points) // 6]  # of a large grid a spread is composed
    configs = [launch.compose("train", plan(path).choices(point)) for point in points]
    assert len({OmegaConf.to_yaml(cfg) for cfg in configs}) == len(points)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_agent_of_wandb_passes_the_same_arguments(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    study = read_study(path)
    point = next(study.probes())
    values = {  # the first of each parameter, as YAML has it
        name: {"value": spec["values"][0] if "values" in spec else type(spec["min"])(spec["min"])}
        for name, spec in content["parameters"].items()
    }
    passed = create_sweep_command_args({"args": values})["args_no_hyphens"]
    assert passed == [f"{name}={text}" for name, text in point.items()]


def test_the_matrix_is_whole() -> None:
    (path,) = (path for path in STUDIES if path.stem == "matrix")
    assert len(read_study(path).grid()) == 225


@pytest.mark.parametrize(
    ("study", "override", "message"),
    [
        ("matrix", "encodr=gru", "The key encodr does not exist (did you mean encoder?); "),
        (
            "attention_scan",
            "metric=[bleu]",
            "metric.name (val/exact_match) must be one of what validation logs: val/loss, "
            "val/perplexity, val/token_accuracy, val/bleu; choose one or add its metric.",
        ),
        (
            "learning_rate",
            "logger=none",
            "early_terminate looks into metrics.csv, which logger=none leaves out; choose "
            "logger=csv.",
        ),
    ],
)
def test_what_cannot_work_is_told_before_anything_runs(
    study: str, override: str, message: str
) -> None:
    (path,) = (path for path in STUDIES if path.stem == study)
    with pytest.raises(InputError) as caught:
        sweep.check_points(plan(path, override))
    assert str(caught.value).startswith(message)


def test_a_goal_that_looks_for_the_worst(tmp_path: Path) -> None:
    (path,) = (path for path in STUDIES if path.stem == "attention_scan")
    turned = tmp_path / "turned.yaml"
    turned.write_text(path.read_text().replace("goal: maximize", "goal: minimize"))
    with pytest.raises(InputError) as caught:
        sweep.check_points(plan(turned))
    assert str(caught.value) == (
        "metric.goal (minimize) selects the worst val/exact_match; set it to maximize."
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "++attention=x",
            "attention varies in this study, so the command line cannot set it; leave it out, or "
            "change the study.",
        ),
        ("resume=x", "resume is set by the sweep for each trial; leave it out."),
    ],
)
def test_what_the_command_line_may_not_set(override: str, message: str) -> None:
    (path,) = (path for path in STUDIES if path.stem == "attention_scan")
    with pytest.raises(InputError) as caught:
        sweep.check_overrides(plan(path, override))
    assert str(caught.value) == message


def test_arguments_of_the_sweep_and_of_its_trainings() -> None:
    assert split_arguments(["sweeps/a.yaml", "workers=2", "hidden_size=8", "seed=1"]) == (
        ["file=sweeps/a.yaml", "workers=2"],
        ["hidden_size=8", "seed=1"],
    )


def test_values_of_a_study_arrive_as_they_stand(tmp_path: Path) -> None:
    (path,) = (path for path in STUDIES if path.stem == "attention_scan")
    content = yaml.safe_load(path.read_text())
    lists, texts = [["c,d"], ["null", "it's", "1e3", 1]], ["a,b", " a", "x{y", "a\\"]
    content["parameters"] |= {"run.tags": {"values": lists}, "dataset.revision": {"values": texts}}
    content["project"] = "one, two"
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    points = read_study(study).grid()[: len(lists) * len(texts)]
    deleting = plan(study, "~dataset.split", "+dataset.revision=null")
    assert "~dataset.split" in deleting.choices(points[0])
    for point, (tags, text) in zip(points, itertools.product(lists, texts), strict=True):
        words = plan(study).choices(point)
        parsed = {
            one.key_or_group: one.value() for one in OverridesParser.create().parse_overrides(words)
        }
        assert [str(tag) for tag in parsed["run.tags"]] == [str(tag) for tag in tags]
        assert parsed["dataset.revision"] == text
        assert parsed["logger.wandb.project"] == "one, two"


def test_several_values_belong_into_the_study() -> None:
    with pytest.raises(InputError) as caught:
        check_for_trainings(["seed=1,2"])
    assert str(caught.value) == (
        "seed=1,2 has several values, which a sweep takes from `parameters` of its study; add them "
        "there, or write 'seed=\"1,2\"' if it is one text."
    )


def test_wandb_is_online_where_its_own_variable_says_so(
    composed: Callable[..., DictConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    assert composed("train").logger.wandb.mode == "offline"
    monkeypatch.setenv("WANDB_MODE", "online")
    assert composed("train").logger.wandb.mode == "online"
