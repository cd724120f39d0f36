"""What follows from the data where a config leaves it open."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from tandem.config import checks
from tandem.config.catalogue import config_groups
from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.config.length import settle_length
from tandem.config.plan import Plan
from tandem.config.settle import continue_settled, settle
from tandem.core.errors import InputError
from tandem.data.batching import Budget
from tandem.data.written import Changed, Written

Compose = Callable[..., DictConfig]

BUDGET = {"max_tokens": 96, "max_source_tokens": 80, "max_sentences": None}
LONG = [["a b c d e"], ["c d e f g"]]
SHORT = [["a b"], ["c d"]]


def content(name: str) -> dict[str, Any]:
    """What a file of ``conf/`` says."""
    text = (config_folder() / f"{name}.yaml").read_text()
    inside: dict[str, Any] = yaml.safe_load(text)
    return inside


def planned(
    cfg: DictConfig,
    *,
    batches: int = 10,
    references: list[list[str]] = LONG,
    outputs: dict[int, str] | None = None,
) -> Plan:
    """A checked config with data that has so many batches, and these validation references.

    :param outputs: what can be written of rows whose references cannot.
    """
    plan = checks.check(cfg)
    held_out = Written(rows=len(references), unwritable=0)
    if outputs:
        first, *_ = outputs
        held_out = replace(
            held_out,
            unwritable=len(outputs),
            outputs=outputs,
            first=Changed(f"line {first}", references[first][0], outputs[first]),
            changes=frozenset({"unknown symbols"}),
        )
    plan.data = SimpleNamespace(  # type: ignore[assignment]
        budget=Budget(**BUDGET),
        batches_an_epoch=lambda: batches,
        has=lambda split: False,
        written={"train": Written(rows=9, unwritable=0), "validation": held_out},
        references=lambda split, rows: [references[row] for row in rows],
    )
    return plan


@pytest.mark.parametrize(
    ("batches", "given", "max_epochs", "interval"),
    [
        (10, {}, 300, 10),
        (2, {}, 1500, 50),
        (1000, {}, 20, 1),
        (None, {}, 20, 1),  # a stream
        (20, {"accumulate_grad_batches": 2}, 300, 10),
        (500, {"limit_train_batches": 10}, 300, 10),
        (20, {"limit_train_batches": 0.5}, 300, 10),
        (10, {"max_epochs": 5}, 5, 1),
        (10, {"max_steps": 500}, -1, 5),
        (10, {"max_epochs": 7, "max_steps": 500}, 7, 1),
        (10, {"max_time": "00:01:00:00"}, -1, 10),
        (10, {"check_val_every_n_epoch": 3}, 300, 3),
        (10, {"val_check_interval": 0.5}, 300, 1),
        (10, {"val_check_interval": 70}, 300, None),  # more than an epoch has
        (10, content("debug/fast")["trainer"], 1, 1),
        (10, content("debug/overfit")["trainer"], 200, 20),
    ],
    ids=str,
)
def test_length(
    tmp_path: Path, batches: int | None, given: Any, max_epochs: int, interval: int | None
) -> None:
    trainer = OmegaConf.create({**content("trainer/auto"), **given, "logger": False})
    trainer.default_root_dir = str(tmp_path)
    settle_length(trainer, batches)
    assert (trainer.max_epochs, trainer.check_val_every_n_epoch) == (max_epochs, interval)
    make(trainer)  # which Lightning refuses if the values do not fit together


def test_the_log_says_it(compose_config: Compose, caplog: pytest.LogCaptureFixture) -> None:
    plan = planned(compose_config("train"))
    with caplog.at_level(logging.INFO, logger="tandem"):
        settle(plan)
        settle(plan)  # as each process does
    assert [record.getMessage() for record in caplog.records] == [
        "Length: at most 300 epochs (trainer.max_epochs); an epoch has 10 batches of at most 96 "
        "target and 80 source symbols (batching.max_tokens, max_source_tokens); a validation every "
        "10 epochs"
    ]
    assert OmegaConf.to_container(plan.cfg.batching) == BUDGET


@pytest.mark.parametrize("experiment", config_groups()["experiment"])
def test_experiments_say_how_long_and_in_which_batches(experiment: str) -> None:
    own = content(f"experiment/{experiment}")
    based_on = [item for item in own["defaults"] if isinstance(item, str)]
    if based_on:
        own = {key: content(f"experiment/{based_on[0]}")[key] for key in ("batching", "trainer")}
    assert own["batching"]["max_tokens"]
    assert own["trainer"]["max_epochs"]
    assert {"val_check_interval", "check_val_every_n_epoch"} & own["trainer"].keys()


CSV = ("dataset=csv", "dataset.data_dir=.", "dataset.source=a", "dataset.target=b")


@pytest.mark.parametrize(
    ("overrides", "references", "monitor"),
    [
        ([], LONG, "val/bleu"),
        ([], [*LONG, *SHORT], "val/bleu"),
        ([], SHORT, "val/chrf"),
        (["metric=[bleu]"], SHORT, "val/loss"),
        (["metric=[bleu,wer]"], SHORT, "val/wer"),
        (["monitor.name=val/chrf"], SHORT, "val/chrf"),
        (["monitor.name=val/token_accuracy"], SHORT, "val/token_accuracy"),
    ],
)
def test_a_monitor_without_room_is_left(
    compose_config: Compose, overrides: list[str], references: list[list[str]], monitor: str
) -> None:
    cfg = compose_config("train", *CSV, *overrides)
    plan = planned(cfg, references=references)
    settle(plan)
    assert cfg.monitor.name == monitor
    watching = [one for one in plan.callbacks if getattr(one, "monitor", None) is not None]
    assert len(watching) == 2
    assert {(one.monitor, one.mode) for one in watching} == {(monitor, cfg.monitor.mode)}  # type: ignore[attr-defined]


def test_the_users_own_monitor_without_room_is_refused(compose_config: Compose) -> None:
    plan = planned(compose_config("train", *CSV, "monitor.name=val/bleu"), references=SHORT)
    with pytest.raises(InputError) as caught:
        settle(plan)
    assert str(caught.value) == (
        "val/bleu cannot tell outputs apart here: it gives the references themselves no better "
        "score than empty outputs; choose monitor.name=val/chrf."
    )


UNKNOWN = {0: "a <unk> c <unk> e", 1: "c d <unk> f <unk>"}


@pytest.mark.parametrize(
    ("overrides", "outputs", "monitor"),
    [
        (["metric=[exact_match,chrf]"], UNKNOWN, "val/chrf"),
        (["metric=[exact_match,chrf]"], {1: UNKNOWN[1]}, "val/exact_match"),
        (["metric=[wer,cer]"], {0: "v w x y z", 1: "v w x y z"}, "val/cer"),
        (["metric=[exact_match,bleu]"], {0: "<unk>", 1: "<unk>"}, "val/loss"),
    ],
)
def test_a_monitor_whose_ceiling_is_no_better_than_nothing_is_left(
    compose_config: Compose, overrides: list[str], outputs: dict[int, str], monitor: str
) -> None:
    cfg = compose_config("train", *CSV, *overrides)
    settle(planned(cfg, references=LONG, outputs=outputs))
    assert cfg.monitor.name == monitor


def test_room_in_a_row_behind_the_first_ones_is_seen(
    compose_config: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.config.settle.ROWS_FOR_ROOM", 2)
    cfg = compose_config("train", *CSV)
    settle(planned(cfg, references=[*SHORT, *LONG]))
    assert cfg.monitor.name == "val/bleu"


def test_what_cannot_be_written_is_said_and_recorded(
    compose_config: Compose, caplog: pytest.LogCaptureFixture
) -> None:
    plan = planned(
        compose_config("train", *CSV, "metric=[exact_match,chrf]"), references=LONG, outputs=UNKNOWN
    )
    with caplog.at_level(logging.WARNING, logger="tandem"):
        settle(plan)
    said, chosen = (record.getMessage() for record in caplog.records)
    assert said.startswith(
        "The target tokenizer cannot write 2 of 2 validation references as they stand (unknown "
        "symbols): in line 0 'a b c d e' comes back as 'a <unk> c <unk> e'. Outputs as close to "
        "the references as it can write score val/exact_match 0.00, val/chrf "
    )
    assert chosen == (
        "val/exact_match cannot tell outputs apart here: it gives outputs as close to the "
        "references as the target tokenizer can write no better score than empty outputs, so "
        "val/chrf is monitored"
    )
    assert plan.references["train"] == {"rows": 9, "unwritable": 0}
    assert plan.references["validation"]["ceilings"]["val/exact_match"] == 0


def test_a_run_goes_on_with_what_it_began_with(compose_config: Compose, tmp_path: Path) -> None:
    begun = planned(compose_config("train", *CSV), references=SHORT)
    settle(begun)
    OmegaConf.save(begun.cfg, tmp_path / "config.yaml", resolve=True)
    plan = planned(compose_config("train", *CSV, "trainer.max_epochs=9"), batches=77)
    continue_settled(plan, tmp_path)
    settle(plan)
    assert plan.data.budget == Budget(**BUDGET)
    assert (plan.cfg.trainer.max_epochs, plan.cfg.trainer.check_val_every_n_epoch) == (9, 10)
    assert plan.cfg.monitor.name == "val/chrf"
