"""Progress on a terminal and elsewhere."""

import io
import logging
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rich

from tandem.callbacks import (
    BestCheckpoint,
    LogLines,
    ProgressBar,
    Throughput,
    guard_onlooker,
    make_progress,
)
from tandem.callbacks.live_line import NotebookLine
from tandem.callbacks.progress import Remaining, format_value
from tandem.callbacks.status_line import StatusLine

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


def test_a_notebook_has_one_output_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    output = SimpleNamespace(update=lambda data, raw: shown.append(data["text/plain"]))

    def display(data: dict[str, str], **options: bool) -> Any:
        output.update(data, raw=True)
        return output

    monkeypatch.setattr("IPython.display.display", display)
    line = StatusLine()
    line.task, line.done, line.total = "Epoch 1/2", 3, 4
    drawn = NotebookLine(line)
    drawn.start()
    line.done = 4
    drawn.refresh()
    drawn.stop()
    assert [text.replace("━", "").replace("─", "").split() for text in shown] == [
        ["Epoch", "1/2", "3/4"],
        ["Epoch", "1/2", "4/4"],
        [],
    ]


def test_lines_without_a_terminal(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, caplog: Any, capsys: Any
) -> None:
    watchers = [Throughput(), LogLines(seconds_between_lines=1000)]
    run = tiny_trainer(callbacks=watchers, max_epochs=2, enable_progress_bar=True)
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(), tiny_loader(4), tiny_loader(2))
    said = lines(caplog)
    assert len(said) == 4
    assert said[0].startswith("epoch 1/2, step 4: val/loss ")
    assert said[1].startswith("epoch 1/2, step 4: loss ")
    assert " tokens/s " in said[1]
    assert said[1].endswith("left")
    assert said[3].endswith("0:00:00 left")
    assert capsys.readouterr().out == ""


def test_epochs_without_a_validation_have_no_line(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, caplog: Any
) -> None:
    run = tiny_trainer(
        callbacks=[LogLines(seconds_between_lines=1000)],
        max_epochs=4,
        check_val_every_n_epoch=2,
        enable_progress_bar=True,
    )
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(), tiny_loader(4), tiny_loader(2))
    epochs = [line.partition(",")[0] for line in lines(caplog)]
    assert epochs == ["epoch 2/4", "epoch 2/4", "epoch 4/4", "epoch 4/4"]


def test_lines_within_an_epoch_when_it_is_time(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, caplog: Any
) -> None:
    run = tiny_trainer(
        callbacks=[LogLines(seconds_between_lines=0)],
        enable_progress_bar=True,
        max_epochs=-1,
        max_steps=3,
    )
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(), tiny_loader(3), tiny_loader(1))
    assert [line.split(":")[0] for line in lines(caplog)] == [
        "epoch 1, step 1",
        "epoch 1, step 2",
        "epoch 1, step 3",
        "epoch 1, step 3",  # the validation's
        "epoch 1, step 3",  # the epoch's
    ]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What is written to a terminal of 160 columns."""
    screen = Terminal()
    console = rich.console.Console(file=screen, force_terminal=True, width=160)
    monkeypatch.setattr("rich.get_console", lambda: console)
    return screen


def test_a_live_line_on_a_terminal(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, screen: Terminal, caplog: Any
) -> None:
    bar = ProgressBar(updates_per_second=1000)
    run = tiny_trainer(callbacks=[Throughput(), bar], max_epochs=2, enable_progress_bar=True)
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(), tiny_loader(4), tiny_loader(2))
        run.test(run.lightning_module, tiny_loader(2), verbose=False)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    for text in (
        *("Epoch 1/2", "Epoch 2/2", "Validation", "Test", "4/4", "2/2", "0:00:00 left"),
        *("loss ", "tokens/s ", "val/loss ", "step 8"),
    ):
        assert text in shown
    assert [line.partition(",")[0] for line in lines(caplog)] == ["epoch 1/2", "epoch 2/2"]


def test_a_failure_takes_the_live_line_away(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, screen: Terminal, monkeypatch: Any
) -> None:
    monkeypatch.setattr(ProgressBar, "on_validation_batch_end", lambda *_: 1 / 0)
    bar = guard_onlooker(ProgressBar(updates_per_second=1000))
    run = tiny_trainer(callbacks=[bar], enable_progress_bar=True)
    run.fit(tiny_module(), tiny_loader(4), tiny_loader(2))
    shown = screen.getvalue()
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l") >= 0  # the cursor is back


def test_the_best_validations_are_marked(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, caplog: Any, tmp_path: Path
) -> None:
    """The loss falls and then rises, as the weights go through zero."""
    best = BestCheckpoint(folder=str(tmp_path), monitor="val/loss", mode="min")
    watchers = [best, LogLines(seconds_between_lines=1000)]
    run = tiny_trainer(
        callbacks=watchers, max_epochs=4, enable_progress_bar=True, enable_checkpointing=True
    )
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(), tiny_loader(4), tiny_loader(1))
    validations = [line for line in lines(caplog) if "val/" in line]
    losses = [float(line.partition("val/loss ")[2].split()[0]) for line in validations]
    marked = [line.endswith(" (best)") for line in validations]
    assert marked == [loss < min([*losses[:i], 1e9]) for i, loss in enumerate(losses)]
    assert True in marked


VALUES = ("0:12:34 left", "loss 2.345", "tokens/s 12,345", "val/bleu 12.30", "step 12,345")


@pytest.mark.parametrize(
    ("width", "shown"), [(10, 0), (30, 0), (40, 0), (60, 2), (80, 3), (120, 5), (200, 5)]
)
@pytest.mark.parametrize("total", [1234, math.inf])
def test_the_line_fits_any_width(width: int, shown: int, total: float) -> None:
    """A value is there with its name or not at all; the first ones are the last to go."""
    line = StatusLine()
    line.task, line.done, line.total, line.values = "Epoch 12/20", 412, total, VALUES
    for ascii_only in (False, True):
        text = line.text(width, ascii_only=ascii_only).plain
        assert len(text) <= width
        assert text.isascii() or not ascii_only
        assert text.startswith("Epoch 12/20"[:width])
        kept = [value for value in VALUES if value in text]
        assert len(kept) >= shown
        if math.isfinite(total) and width >= 40:
            assert kept == list(VALUES[:shown])
            assert " 412/1,234" in text
            assert ("#" if ascii_only else "━") in text


def test_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Run:
        estimated_stepping_batches: float = 100
        global_step = 10

    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    remaining = Remaining(Run())  # type: ignore[arg-type]
    clock[0] = 20.0
    assert remaining(10) == ""
    assert remaining(20) == "0:02:40 left"  # 10 steps took 20 s, 80 are left
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
