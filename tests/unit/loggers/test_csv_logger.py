"""One CSV file that survives new columns, a resumed run and a crash."""

import csv
from pathlib import Path

from tandem.loggers import CSVLogger


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_row_is_on_disk_at_once(tmp_path: Path) -> None:
    logger = CSVLogger(folder=str(tmp_path / "run"))
    logger.log_metrics({"train/loss": 0.5, "epoch": 0}, step=9)
    assert (tmp_path / "run" / "metrics.csv").read_text() == "step,epoch,train/loss\n9,0,0.5\n"


def test_new_columns_keep_old_rows(tmp_path: Path) -> None:
    logger = CSVLogger(folder=str(tmp_path))
    logger.log_metrics({"a": 1.0, "epoch": 0}, step=1)
    logger.log_metrics({"b": 2.0, "epoch": 0}, step=2)
    logger.log_metrics({"a": 3.0}, step=3)
    assert rows(tmp_path) == [
        {"step": "1", "epoch": "0", "a": "1.0", "b": ""},
        {"step": "2", "epoch": "0", "a": "", "b": "2.0"},
        {"step": "3", "epoch": "", "a": "3.0", "b": ""},
    ]


def test_a_resumed_run_goes_on(tmp_path: Path) -> None:
    CSVLogger(folder=str(tmp_path)).log_metrics({"a": 1.0}, step=9)
    CSVLogger(folder=str(tmp_path)).log_metrics({"b": 2.0}, step=19)
    assert [(row["step"], row["a"], row["b"]) for row in rows(tmp_path)] == [
        ("9", "1.0", ""),
        ("19", "", "2.0"),
    ]


def test_rewind_drops_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    first = CSVLogger(folder=str(tmp_path))
    for step in (9, 19, 29):
        first.log_metrics({"a": float(step)}, step=step)
    resumed = CSVLogger(folder=str(tmp_path))
    resumed.rewind(20, None)
    resumed.log_metrics({"a": -1.0}, step=29)
    assert [(row["step"], row["a"]) for row in rows(tmp_path)] == [
        ("9", "9.0"),
        ("19", "19.0"),
        ("29", "-1.0"),
    ]
    CSVLogger(folder=str(tmp_path / "none")).rewind(5, None)
    assert not (tmp_path / "none").exists()


def test_a_row_that_a_kill_kept_from_the_file_comes_from_the_checkpoint(tmp_path: Path) -> None:
    CSVLogger(folder=str(tmp_path)).log_metrics({"a": 9.0}, step=9)
    for _ in range(2):  # the second time it is there
        CSVLogger(folder=str(tmp_path)).rewind(20, (19, {"a": 19.0, "epoch": 1}))
    found = [(row["step"], row["epoch"], row["a"]) for row in rows(tmp_path)]
    assert found == [("9", "", "9.0"), ("19", "1", "19.0")]


def test_a_line_cut_off_by_a_crash_is_dropped(tmp_path: Path) -> None:
    CSVLogger(folder=str(tmp_path)).log_metrics({"a": 1.0, "b": 2.0, "epoch": 0}, step=9)
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("19,0,3.0,4")  # of 4.5
    resumed = CSVLogger(folder=str(tmp_path))
    resumed.log_metrics({"a": 3.0, "b": 4.0, "epoch": 0}, step=19)
    assert [row["a"] for row in rows(tmp_path)] == ["1.0", "3.0"]
