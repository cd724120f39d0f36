"""Pairs of files: what is read, and every way in which they can be wrong."""

import logging
from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.data.datasets.base import (
    Entry,
    keep_filled,
    make_splits,
    read_parallel,
    resolve_data_dir,
)


def test_unequal_files(tmp_path: Path) -> None:
    source, target = tmp_path / "a.en", tmp_path / "a.de"
    source.write_text("1\n2\n3\n")
    target.write_text("1\n2\n")
    with pytest.raises(InputError) as caught:
        read_parallel(source, target)
    assert str(caught.value) == (
        f"The files {source} (3 lines) and {target} (2 lines) must have equally many lines, as "
        "line n of one belongs to line n of the other; check that neither was cut or edited alone."
    )


@pytest.mark.parametrize(
    ("sources", "targets", "side"),
    [("1\n \n", "1\n2\n", "source"), ("1\n2\n", "1\n\n", "target")],
)
def test_empty_line_is_an_error(tmp_path: Path, sources: str, targets: str, side: str) -> None:
    paths = {"source": tmp_path / "a.en", "target": tmp_path / "a.de"}
    paths["source"].write_text(sources)
    paths["target"].write_text(targets)
    entries = read_parallel(paths["source"], paths["target"])
    with pytest.raises(InputError) as caught:
        list(keep_filled(entries, on_bad_example="error"))
    assert str(caught.value) == (
        f"The {side} at {paths[side]} line 2 is empty, but every example needs a source and a "
        "target; correct the file or set dataset.on_bad_example=skip."
    )


def entry(source: str, target: str) -> Entry:
    """Return an entry with short places."""
    return Entry(source, target, "s line 1", "t line 1")


def test_on_bad_example_are_skipped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    entries = [entry("a", "b"), entry("", "b"), entry("a", ""), entry("c", "d")]
    with caplog.at_level(logging.INFO):
        kept = list(keep_filled(entries, on_bad_example="skip"))
    assert kept == [entries[0], entries[3]]
    assert caplog.messages == [
        "Skipped 2 of 4 examples with an empty source or target, the first of them in s line 1."
    ]


def test_unknown_choice_for_on_bad_example() -> None:
    with pytest.raises(InputError) as caught:
        list(keep_filled([], on_bad_example="drop"))
    assert str(caught.value) == "dataset.on_bad_example (drop) must be one of error, skip."


def test_empty_split() -> None:
    full = [entry("a", "b")]
    with pytest.raises(InputError) as caught:
        make_splits({"train": full, "validation": [], "test": full}, on_bad_example="error")
    assert str(caught.value) == (
        "The validation split is empty, but each of train, validation, test needs at least one "
        "example; check the files or names that the dataset was given."
    )


def test_data_dir_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sets" / "mine").mkdir(parents=True)
    monkeypatch.setenv("TANDEM_DATA", str(tmp_path / "sets"))
    assert resolve_data_dir(None, "mine") == tmp_path / "sets" / "mine"
    assert resolve_data_dir(None, "other") is None
    assert resolve_data_dir(str(tmp_path), "mine") == tmp_path
    monkeypatch.delenv("TANDEM_DATA")
    assert resolve_data_dir(None, "mine") is None


def test_missing_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = str(tmp_path / "none")
    with pytest.raises(InputError) as caught:
        resolve_data_dir(missing, "mine")
    assert str(caught.value) == (
        f"The folder dataset.data_dir={missing} does not exist; correct the path, which is "
        f"relative to {Path.cwd()}."
    )
    monkeypatch.setenv("TANDEM_DATA", missing)
    with pytest.raises(InputError) as caught:
        resolve_data_dir(None, "mine")
    assert str(caught.value) == (
        f"The environment variable TANDEM_DATA ({missing}) must name an existing folder; correct "
        "or unset it."
    )
