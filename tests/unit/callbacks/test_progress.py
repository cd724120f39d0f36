"""Progress on a terminal and elsewhere."""

import io
import logging
from typing import Any

import pytest
import rich

from tandem.callbacks import LogLines, ProgressBar, Throughput, make_progress
from tandem.callbacks.progress import Remaining, format_value

pytestmark = pytest.mark.filterwarnings("error", "ignore:.*LeafSpec", "ignore:.*num_workers")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(caplog: Any) -> list[str]:
    return [record.getMessage() for record in caplog.records if "progress" in record.name]


def test_kind_follows_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert isinstance(make_progress(updates_per_second=4, seconds_between_lines=30), LogLines)
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_progress(updates_per_second=4, seconds_between_lines=30), ProgressBar)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_progress(updates_per_second=4, seconds_between_lines=30), LogLines)


def test_lines_without_a_terminal(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, caplog: Any, capsys: Any
) -> None:
    watchers = [Throughput(), LogLines(seconds_between_lines=1000)]
    run = tiny_trainer(callbacks=watchers, max_epochs=2, enable_progress_bar=True)
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(), tiny_loader(4), tiny_loader(2))
    said = lines(caplog)
    assert len(said) == 4
    assert said[0].startswith("epoch 0, step 4: val/loss ")
    assert said[1].startswith("epoch 0, step 4: loss ")
    assert " tokens/s " in said[1]
    assert said[1].endswith("left")
    assert said[3].endswith("0:00:00 left")
    assert capsys.readouterr().out == ""


def test_lines_within_an_epoch_when_it_is_time(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, caplog: Any
) -> None:
    run = tiny_trainer(callbacks=[LogLines(seconds_between_lines=0)], enable_progress_bar=True)
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(), tiny_loader(3), tiny_loader(1))
    assert [line.split(":")[0] for line in lines(caplog)] == [
        "epoch 0, step 1",
        "epoch 0, step 2",
        "epoch 0, step 3",
        "epoch 0, step 3",  # the validation's
        "epoch 0, step 3",  # the epoch's
    ]


def test_bar_on_a_terminal(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, monkeypatch: Any
) -> None:
    screen = Terminal()
    console = rich.console.Console(file=screen, force_terminal=True, width=160)
    monkeypatch.setattr(
        "lightning.pytorch.callbacks.progress.rich_progress.get_console", lambda: console
    )
    bar = ProgressBar(updates_per_second=50)
    run = tiny_trainer(callbacks=[Throughput(), bar], max_epochs=2, enable_progress_bar=True)
    run.fit(tiny_module(), tiny_loader(4), tiny_loader(2))
    run.test(run.lightning_module, tiny_loader(2), verbose=False)
    shown = screen.getvalue()
    for text in (
        "Epoch 1/1",
        "4/4",
        "loss: ",
        "tokens/s: ",
        "val/loss: ",
        "step: 8",
        "left: 0:00:00",
    ):
        assert text in shown
    assert "v_num" not in shown


def test_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Run:
        estimated_stepping_batches: float = 100
        global_step = 10

    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    remaining = Remaining(Run())  # type: ignore[arg-type]
    clock[0] = 20.0
    assert remaining(10) == ""
    assert remaining(20) == "0:02:40"  # 10 steps took 20 s, 80 are left
    Run.estimated_stepping_batches = float("inf")
    assert Remaining(Run())(20) == ""  # type: ignore[arg-type]


def test_numbers() -> None:
    assert format_value("train/tokens_per_second", 5123.4) == "5,123"
    assert format_value("val/loss", 1.23456) == "1.235"
    assert format_value("val/bleu", 41.016) == "41.02"


def test_speed_counts_real_tokens_and_no_validation(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, monkeypatch: Any
) -> None:
    clock = iter(range(1000))  # each look at the clock is a second later than the one before
    monkeypatch.setattr("tandem.callbacks.speed.time.perf_counter", lambda: next(clock))
    run = tiny_trainer(callbacks=[Throughput()], val_check_interval=1)
    run.fit(tiny_module(), tiny_loader(4), tiny_loader(2))
    # Steps 3 and 4 have 5 tokens each; the clock ran from the last log to the validation after
    # step 2, from the start of step 3 to its validation and from the start of step 4 to the log.
    assert run.callback_metrics["train/tokens_per_second"] == pytest.approx(10 / 3)
