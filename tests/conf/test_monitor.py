"""What a run monitors: the dataset's choice, the user's, or the first metric's."""

from collections.abc import Callable

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from tandem.config import build, checks
from tandem.config.catalogue import config_groups
from tandem.config.folders import config_folder
from tandem.core.errors import InputError

Compose = Callable[..., DictConfig]


@pytest.mark.parametrize(
    ("overrides", "name", "mode"),
    [
        ([], "val/exact_match", "max"),  # the dataset's own
        (["metric=[bleu,exact_match]"], "val/exact_match", "max"),
        (["metric=[bleu]"], "val/bleu", "max"),
        (["metric=[wer,bleu]"], "val/wer", "min"),
        (["metric=[ter]"], "val/ter", "min"),
        (["metric=[]"], "val/loss", "min"),
        (["metric=[rouge]"], "val/rouge1", "max"),
        (["metric=[chrf]", "dataset=multi30k"], "val/chrf", "max"),  # which sets metric.bleu
        (["metric=[cider]"], "val/cider", "max"),
        (["metric=[bleu]", "monitor.name=val/loss", "monitor.mode=min"], "val/loss", "min"),
        (["dataset=multi30k", "monitor.name=val/loss"], "val/loss", "min"),  # it names a BLEU
        (["dataset=an4", "monitor.name=val/token_accuracy"], "val/token_accuracy", "max"),
    ],
)
def test_monitor(composed: Compose, overrides: list[str], name: str, mode: str) -> None:
    cfg = composed("train", *overrides)
    checks.check(cfg)
    assert (cfg.monitor.name, cfg.monitor.mode) == (name, mode)
    assert len(cfg.metric) == len(build.build_metrics(cfg))
    assert (cfg.callbacks.best.monitor, cfg.callbacks.best.mode) == (name, mode)


@pytest.mark.parametrize(
    "overrides",
    [["monitor.name=val/blue"], ["monitor={name: val/exact_match}"]],
)
def test_what_the_user_sets_is_never_replaced(composed: Compose, overrides: list[str]) -> None:
    cfg = composed("train", "metric=[bleu]", *overrides)
    with pytest.raises(InputError) as caught:
        checks.check(cfg)
    assert str(caught.value) == (
        f"`monitor.name` ({cfg.monitor.name}) must be one of what this run logs: val/loss, "
        "val/perplexity, val/token_accuracy, val/bleu; choose one or add its metric."
    )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["monitor.mode=min"],
            "`monitor.mode` (min) selects the worst val/exact_match, where higher is better; "
            "leave it out.",
        ),
        (
            ["monitor.name=val/loss", "monitor.mode=max"],
            "`monitor.mode` (max) selects the worst val/loss, where lower is better; leave it out.",
        ),
    ],
)
def test_a_mode_that_contradicts_the_score(
    composed: Compose, overrides: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        checks.check(composed("train", *overrides))
    assert str(caught.value) == message


METRICS = sorted(path.stem for path in (config_folder() / "metric").glob("*.yaml"))


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_brings_its_mode(composed: Compose, metric: str) -> None:
    cfg = composed("train", f"metric=[{metric}]")
    (made,) = checks.check(cfg).metrics
    first, direction = next(iter(made.directions.items()))
    if metric != "exact_match":
        assert cfg.monitor.name == f"val/{first}"
    assert cfg.monitor.mode == direction


@pytest.mark.parametrize("dataset", config_groups()["dataset"])
def test_datasets_name_a_score_of_theirs(composed: Compose, dataset: str) -> None:
    cfg = composed("train", f"dataset={dataset}")
    assert cfg.monitor.name in checks.validation_scores(cfg, build.build_metrics(cfg))
    assert cfg.monitor.mode is None


def test_without_a_command_line_nothing_is_replaced(
    composed: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = composed("train", "metric=[bleu]", "run.name=a", "run.tags=[]", "logger=csv")
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
    with pytest.raises(InputError, match="must be one of what this run logs"):
        checks.check(cfg)


def test_an_option_of_a_metric_that_is_not_chosen(composed: Compose) -> None:
    cfg = composed("train", "dataset=multi30k", "metric=[chrf]", "metric.bleu.tokenize=13a")
    with pytest.raises(InputError) as caught:
        checks.check(cfg)
    assert str(caught.value) == (
        "metric.bleu is set, but this metric is not chosen; add it: metric=[chrf,bleu]."
    )
