"""Files that appear whole, with the rights that the umask leaves."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.core.files import give_usual_rights, replacing, write_atomically


@pytest.fixture(params=[0o022, 0o027, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_files_have_the_rights_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "new" / "record.json"
    for content in (b"first", b"second"):
        write_atomically(path, content)
        assert path.read_bytes() == content
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    assert [item.name for item in path.parent.iterdir()] == ["record.json"]


def test_files_of_libraries_get_the_same_rights(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "model.safetensors"
    path.touch(mode=0o600)
    give_usual_rights(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    assert [item.name for item in tmp_path.iterdir()] == ["model.safetensors"]


def test_what_is_not_finished_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with replacing(path) as part:
            part.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == {"record.json": b"old"}
