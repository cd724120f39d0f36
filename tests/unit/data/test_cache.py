"""Files of the cache: whole or made again, whoever damages them and whoever else writes them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from tandem.data.cache import keep, keep_columns, read_cached, read_columns
from tandem.data.preprocessing import LearnProcessors
from tandem.data.ragged import Ragged
from tandem.data.readers import FileReader
from tandem.data.token_cache import encode_column
from tandem.data.tokenizers import WordTokenizer

ROWS = [[5, 6, 7], [8], [], [9, 5]]
RECIPE = WordTokenizer(
    shared=True, lowercase=False, normalization="none", vocabulary_size=9, min_frequency=1
)
TEXTS = ["a b", "c", "b b a"]


def test_columns_come_back_mapped_from_the_file(tmp_path: Path) -> None:
    keep_columns(tmp_path / "ids.arrow", {"one": Ragged.from_lists(ROWS)})
    columns = read_columns(tmp_path / "ids.arrow")
    assert columns is not None
    assert [columns["one"].row(index) for index in range(len(ROWS))] == ROWS
    assert not columns["one"].values.flags.owndata


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: os.truncate(path, path.stat().st_size - 1),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "another file": lambda path: path.write_text("no such file" * 9),
    "a flipped bit": lambda path: flip(path, -40),
    "a flipped bit of the seal": lambda path: flip(path, -1),
    "a folder": replace_by_folder,
    "a pipe": replace_by_pipe,
}


def tokenizer(_: type) -> Any:
    learn = LearnProcessors(
        reader=None, source_recipe=RECIPE, target_recipe=RECIPE, truncate_source=None
    )
    return learn(lambda column: TEXTS).target.to_json()


def tokens(_: type) -> Any:
    split = Dataset.from_dict({"target": TEXTS})
    return encode_column(RECIPE.train(TEXTS), split, "target", "train").ids.values.tolist()


def vectors(features: type) -> Any:
    files = [{"path": None, "bytes": text.encode() * 2} for text in TEXTS]
    reader = FileReader(features(), spec={})
    split = Dataset.from_dict({"source": files})
    column, *_ = reader.read_split(split, "train", training=True, skip_bad=False)
    return column.batch(np.arange(3))[0].tolist()


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("make", [tokenizer, tokens, vectors])
def test_what_is_damaged_is_made_again(
    byte_features: type,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    make: Callable[[type], Any],
    damage: Callable[[Path], object],
) -> None:
    first = make(byte_features)
    (path,) = (file for file in (tmp_path / "cache").rglob("*") if file.is_file())
    whole = path.read_bytes()
    damage(path)
    (path.parent / f".{path.name}.0123abcd").touch()  # what a killed writer left
    assert make(byte_features) == first
    assert list(path.parent.iterdir()) == [path]
    assert f"The cached file {path} is damaged" in caplog.text
    assert path.read_bytes() == whole
    caplog.clear()
    assert make(byte_features) == first
    assert not caplog.text


def test_tokenizers_that_are_kept_are_not_learnt_again(
    byte_features: type, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learn = LearnProcessors(
        reader=None,
        source_recipe=RECIPE,
        target_recipe=RECIPE,
        truncate_source=None,
        tokenizer_folder=tmp_path,
    )
    kept = RECIPE.train(["x y z"])
    (tmp_path / "target.json").write_text(kept.to_json())
    assert learn(lambda column: TEXTS).target.symbols == kept.symbols
    (tmp_path / "target.json").write_text(kept.to_json()[:-5])
    assert learn(lambda column: TEXTS).target.symbols == RECIPE.train(TEXTS).symbols
    assert f"{tmp_path / 'target.json'} is damaged" in caplog.text


def test_a_cache_that_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "none", tmp_path / "none" / "one", tmp_path / "file" / "one"):
        assert read_cached(path) is None
    assert not caplog.text
    keep(tmp_path / "file" / "one", b"")
    assert "continuing without the cache" in caplog.text


def test_processes_that_write_the_same_at_once(byte_features: type, tmp_path: Path) -> None:
    ready, start = os.pipe()
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            try:
                os.close(start)
                os.read(ready, 1)  # returns when the parent closes its end
                right = all(vectors(byte_features) for _ in range(3))
            except BaseException:
                right = False
            os._exit(0 if right else 1)
        children.append(child)
    os.close(start)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    (path,) = (tmp_path / "cache" / "features").iterdir()
    assert path.suffix == ".vectors"
