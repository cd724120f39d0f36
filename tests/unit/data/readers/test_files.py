"""Files to vectors: read once, kept, and every bad one named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from tandem.core.errors import InputError
from tandem.data.columns import Rows, VectorColumn
from tandem.data.features import Features
from tandem.data.readers import FileReader

MakeFeatures = Callable[..., Any]
FileSplit = Callable[..., Dataset]


def read(
    features: Features,
    split: Dataset,
    name: str = "test",
    *,
    training: bool = False,
    skip_bad: bool = False,
) -> tuple[VectorColumn, Rows]:
    reader = FileReader(features, spec={})
    column, rows, _ = reader.read_split(split, name, training=training, skip_bad=skip_bad)
    return column, rows


def test_files_are_read_once(byte_features: MakeFeatures, file_split: FileSplit) -> None:
    features, split = byte_features(), file_split(b"abcd", b"ef")
    for _ in range(2):
        column, rows = read(features, split)
        assert column.row(0).tolist() == [[97, 98], [99, 100]]
        assert column.row(1).tolist() == [[101, 102]]
        assert rows.tolist() == [0, 1]
    assert features.calls == [
        ("example 1 of the test split", 0),
        ("example 2 of the test split", 0),
    ]


def test_what_was_kept_is_not_used_for_something_else(
    byte_features: MakeFeatures, file_split: FileSplit, tmp_path: Path
) -> None:
    def first(features: Features, split: Dataset) -> list[list[int]]:
        column, _ = read(features, split)
        return column.row(0).tolist()

    assert first(byte_features(), file_split(b"ab")) == [[97, 98]]
    assert first(byte_features(scale=2), file_split(b"ab")) == [[194, 196]]
    assert first(byte_features(), file_split(b"cd")) == [[99, 100]]
    path = tmp_path / "file"
    path.write_bytes(b"ab")
    split = Dataset.from_dict({"source": [{"path": str(path), "bytes": None}]})
    assert first(byte_features(), split) == [[97, 98]]
    path.write_bytes(b"efgh")
    assert first(byte_features(), split) == [[101, 102], [103, 104]]


def test_copies_are_for_training(byte_features: MakeFeatures, file_split: FileSplit) -> None:
    features, split = byte_features(versions=2), file_split(b"ab", b"cd")
    column, rows = read(features, split, "train", training=True)
    assert rows.tolist() == [0, 1, 0, 1]
    assert [column.row(place).tolist() for place in range(4)] == [
        [[97, 98]],
        [[99, 100]],
        [[98, 99]],
        [[100, 101]],
    ]
    column, rows = read(features, split, "train")
    assert rows.tolist() == [0, 1]
    assert [column.row(place).tolist() for place in range(2)] == [[[97, 98]], [[99, 100]]]


def test_skipped_files_are_told_of_again(
    byte_features: MakeFeatures, file_split: FileSplit, caplog: pytest.LogCaptureFixture
) -> None:
    features, split = byte_features(), file_split(b"ab", b"bad!")
    for _ in range(2):
        caplog.clear()
        read(features, split, skip_bad=True)
        assert "Skipped 1 of 2 test files: The file example 2 of the" in caplog.text
    assert len(features.calls) == 2  # the second time nothing was read


def test_equal_files_are_kept_once(byte_features: MakeFeatures, file_split: FileSplit) -> None:
    split = file_split(b"ab", b"cd", b"ab", b"bad!", b"cd")
    column, rows = read(byte_features(versions=2), split, training=True, skip_bad=True)
    assert rows.tolist() == [0, 1, 2, 4] * 2
    firsts = [int(column.row(place)[0, 0]) for place in range(8)]
    assert firsts == [97, 99, 97, 99, 98, 100, 98, 100]
    assert len(column.values) == 4


def test_a_bad_file_stops_or_is_skipped(
    byte_features: MakeFeatures, file_split: FileSplit, caplog: pytest.LogCaptureFixture
) -> None:
    features, split = byte_features(versions=2), file_split(b"ab", b"bad!", b"cd")
    column, rows = read(features, split, training=True, skip_bad=True)
    assert rows.tolist() == [0, 2, 0, 2]
    assert column.lengths.tolist() == [1, 1, 1, 1]
    assert "Skipped 1 of 3 test files: The file example 2 of the test split is bad." in caplog.text
    with pytest.raises(InputError, match="example 2 of the test split is bad"):
        read(features, split, training=True)  # kept ones don't hide it
    with pytest.raises(InputError, match="Not one example of the test split can be read"):
        read(features, file_split(b"bad!"), skip_bad=True)


def test_inference_reads_paths(byte_features: MakeFeatures, tmp_path: Path) -> None:
    paths = [tmp_path / "long.txt", tmp_path / "short.txt"]
    for path, content in zip(paths, (b"abcd", b"ef"), strict=True):
        path.write_bytes(content)
    reader = FileReader(byte_features(versions=3), spec={})
    ids, mask = reader.read([str(path) for path in paths]).batch(np.array([1, 0]))
    assert ids.tolist() == [[[101, 102], [0, 0]], [[97, 98], [99, 100]]]
    assert mask.tolist() == [[True, False], [True, True]]
    bad = tmp_path / "bad.txt"
    bad.touch()
    with pytest.raises(InputError, match=rf"^The file {bad} is bad\.$"):
        reader.read([str(paths[0]), str(bad)])


def test_what_others_ask_of_it(byte_features: MakeFeatures) -> None:
    reader = FileReader(byte_features(), spec={})
    assert (reader.media, reader.size, reader.prompt) == ("series", 2, "the path of a series file")
    assert reader.positions_per_symbol == 10
    named = ("-", "paths.txt", "paths.LST", "recording.csv")
    assert [reader.is_source(name) for name in named] == [False, False, False, True]
    assert reader.labels(np.zeros((3, 2))) is None
    assert reader.name({"path": "a/b.csv", "bytes": b""}, "test", 4) == "a/b.csv"
    assert reader.name({"path": None, "bytes": b""}, "test", 4) == "example 5 of the test split"
    other = FileReader(byte_features(scale=2), spec={})
    assert reader.identity() != other.identity()
    assert reader.identity() == FileReader(byte_features(), spec={}).identity()
    assert reader.evaluated_identity() != other.evaluated_identity()
    more = FileReader(byte_features(versions=3), spec={})
    assert reader.evaluated_identity() == more.evaluated_identity()
    assert reader.identity() != more.identity()


def test_a_trip_through_a_bundle(byte_features: MakeFeatures, tmp_path: Path) -> None:
    spec = {"_target_": "own.Bytes", "scale": 3}
    reader = FileReader(byte_features(scale=3), spec=spec)
    options = reader.to_bundle(tmp_path, shared=False)
    again = FileReader.from_bundle(
        options,
        open_file=lambda name: pytest.fail("it wrote no file"),
        build=lambda found: byte_features(scale=found["scale"]),
        shared=None,
    )
    assert again.identity() == reader.identity()
    assert again.spec == spec
    assert not list(tmp_path.glob("*.*"))
