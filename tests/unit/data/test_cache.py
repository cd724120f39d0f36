"""Columns of ids on disk."""

from pathlib import Path

import pytest

from tandem.data.cache import load_columns, save_columns
from tandem.data.ragged import Ragged

ROWS = [[5, 6, 7], [8], [], [9, 5]]


def test_columns_come_back_mapped_from_the_file(tmp_path: Path) -> None:
    save_columns(tmp_path / "ids.arrow", {"one": Ragged.from_lists(ROWS)})
    one = load_columns(tmp_path / "ids.arrow")["one"]
    assert [one.row(index) for index in range(len(one))] == ROWS
    assert not one.values.flags.owndata


@pytest.mark.parametrize("raw", [None, b"", b"no Arrow file"])
def test_an_unusable_file(tmp_path: Path, raw: bytes | None) -> None:
    if raw is not None:
        (tmp_path / "ids.arrow").write_bytes(raw)
    with pytest.raises((OSError, ValueError)):
        load_columns(tmp_path / "ids.arrow")
