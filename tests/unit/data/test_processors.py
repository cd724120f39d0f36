"""Files to vectors: read once, kept, and every bad one named."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from tandem.core.errors import InputError
from tandem.data.batching import Budget
from tandem.data.features import Features, File, Vectors
from tandem.data.module import DataModule, LengthFilter
from tandem.data.processors import LearnProcessors, encode_files
from tandem.data.stream import StreamOptions
from tandem.data.tokenizers import CharTokenizer

CALLS: list[tuple[str, int]] = []


@dataclass(frozen=True)
class Bytes(Features):
    """Every two bytes of a file are a vector; version c adds c."""

    scale: int = 1
    versions: int = 1
    media: ClassVar[Literal["image", "audio"]] = "audio"
    width: ClassVar[int] = 2

    @property
    def copies(self) -> int:
        return self.versions

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        CALLS.append((place, copy))
        content = file["bytes"] or (Path(file["path"]).read_bytes() if file["path"] else b"")
        if not content or content == b"bad!":
            raise InputError(f"The file {place} is bad.")
        return np.frombuffer(content, np.uint8).reshape(-1, 2) * self.scale + copy

    def shown(self, vectors: Vectors) -> Vectors:
        return vectors


@pytest.fixture(autouse=True)
def _no_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CALLS.clear()
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "cache"))


def files(*contents: bytes) -> Dataset:
    return Dataset.from_dict(
        {
            "source": [{"path": None, "bytes": content} for content in contents],
            "target": [chr(ord("a") + place) for place in range(len(contents))],
        }
    )


def test_files_are_read_once() -> None:
    split = files(b"abcd", b"ef")
    for _ in range(2):
        column, rows = encode_files(Bytes(), split, "test", copies=1, skip_bad=False)
        assert column.row(0).tolist() == [[97, 98], [99, 100]]
        assert column.row(1).tolist() == [[101, 102]]
        assert rows.tolist() == [0, 1]
    assert CALLS == [("example 1 of the test split", 0), ("example 2 of the test split", 0)]


def test_what_was_kept_is_not_used_for_something_else(tmp_path: Path) -> None:
    def read(features: Features, split: Dataset) -> list[list[int]]:
        column, _ = encode_files(features, split, "test", copies=1, skip_bad=False)
        return column.row(0).tolist()

    assert read(Bytes(), files(b"ab")) == [[97, 98]]
    assert read(Bytes(scale=2), files(b"ab")) == [[194, 196]]
    assert read(Bytes(), files(b"cd")) == [[99, 100]]
    path = tmp_path / "file"
    path.write_bytes(b"ab")
    split = Dataset.from_dict({"source": [{"path": str(path), "bytes": None}]})
    assert read(Bytes(), split) == [[97, 98]]
    path.write_bytes(b"efgh")
    assert read(Bytes(), split) == [[101, 102], [103, 104]]


def test_versions_of_an_example() -> None:
    column, rows = encode_files(Bytes(), files(b"ab", b"cd"), "train", copies=2, skip_bad=False)
    assert rows.tolist() == [0, 1, 0, 1]
    assert [column.row(place).tolist() for place in range(4)] == [
        [[97, 98]],
        [[99, 100]],
        [[98, 99]],
        [[100, 101]],
    ]


def test_skipped_files_are_told_of_again(caplog: pytest.LogCaptureFixture) -> None:
    split = files(b"ab", b"bad!")
    for _ in range(2):
        caplog.clear()
        encode_files(Bytes(), split, "test", copies=1, skip_bad=True)
        assert "Skipped 1 of 2 test files: The file example 2 of the" in caplog.text
    assert len(CALLS) == 2  # the second time nothing was read


def test_equal_files_are_kept_once() -> None:
    split = files(b"ab", b"cd", b"ab", b"bad!", b"cd")
    column, rows = encode_files(Bytes(), split, "train", copies=2, skip_bad=True)
    assert rows.tolist() == [0, 1, 2, 4] * 2
    firsts = [int(column.row(place)[0, 0]) for place in range(8)]
    assert firsts == [97, 99, 97, 99, 98, 100, 98, 100]
    assert len(column.values) == 4


def test_a_bad_file_stops_or_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    split = files(b"ab", b"bad!", b"cd")
    column, rows = encode_files(Bytes(), split, "test", copies=2, skip_bad=True)
    assert rows.tolist() == [0, 2, 0, 2]
    assert column.lengths.tolist() == [1, 1, 1, 1]
    assert "Skipped 1 of 3 test files: The file example 2 of the test split is bad." in caplog.text
    with pytest.raises(InputError, match="example 2 of the test split is bad"):
        encode_files(Bytes(), split, "test", copies=2, skip_bad=False)  # kept ones don't hide it
    with pytest.raises(InputError, match="Not one example of the test split can be read"):
        encode_files(Bytes(), files(b"bad!"), "test", copies=1, skip_bad=True)


def data_module(features: Features, splits: DatasetDict, *, skip_bad: bool) -> DataModule:
    recipe = CharTokenizer(
        shared=True,
        lowercase=False,
        normalization="none",
        vocabulary_size=100,
        min_frequency=1,
    )
    return DataModule(
        load=lambda: splits,
        learn=LearnProcessors(features=features, source_recipe=recipe, target_recipe=recipe),
        length_filter=LengthFilter(
            max_source_length=2, max_target_length=None, truncate_source=None
        ),
        skip_bad=skip_bad,
        budget=Budget(max_tokens=100, max_source_tokens=100, max_sentences=None),
        stream_options=StreamOptions(buffer_size=1, sample_size=1),
        overfit=None,
        variety=None,
        seed=0,
    )


def test_rows_stay_together_when_one_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    long, bad = b"abcdefgh", b"bad!"
    splits = DatasetDict(
        train=files(b"ab", long, bad, b"cd"), validation=files(bad, b"xy"), test=files(b"zz", b"uv")
    )
    data = data_module(Bytes(versions=2), splits, skip_bad=True)
    processors = data.prepare()
    assert not processors.shared
    assert processors.source_size == 2
    train = data.encoded("train")
    assert train.rows.tolist() == [0, 2, 0, 2]  # of what remains, and without the long one
    pairs = {
        (int(vector[0, 0]), processors.target.decode(target))
        for vector, target in zip(
            (train.source.row(place) for place in range(4)),
            (train.target.row(place) for place in range(4)),
            strict=True,
        )
    }
    assert pairs == {(97, "a"), (98, "a"), (99, "d"), (100, "d")}
    assert data.references("validation", [0]) == [["b"]]
    assert data.sources("validation", [0]) == ["example 1 of the validation split"]
    assert data.file("test", 1) == {"path": None, "bytes": b"uv"}
    assert "1 of 1 validation targets have symbols that training never saw" not in caplog.text


def test_an_unknown_symbol_is_named(caplog: pytest.LogCaptureFixture) -> None:
    splits = DatasetDict(train=files(b"ab"), validation=files(b"ab"), test=files(b"cd", b"ef"))
    data_module(Bytes(), splits, skip_bad=False).prepare()
    assert (
        "1 of 2 test targets have symbols that training never saw, the first example 2 of the test "
        "split: <unk>" in caplog.text
    )
