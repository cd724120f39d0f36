"""Folders of sets that are on disk already."""

from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.data.datasets.base import check_on_bad_example, from_pairs, resolve_data_dir


def test_unknown_choice_for_on_bad_example() -> None:
    with pytest.raises(InputError) as caught:
        check_on_bad_example("drop")
    assert str(caught.value) == "dataset.on_bad_example (drop) must be one of error, skip."


def test_empty_split() -> None:
    full = [("a", "b")]
    with pytest.raises(InputError) as caught:
        from_pairs({"train": full, "validation": [], "test": full})
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
