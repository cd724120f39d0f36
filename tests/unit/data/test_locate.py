"""The files of a split: by a name, a path, a pattern or numbers, and what names there are."""

from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.data.locate import find_files, paired, split_files, split_names


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


@pytest.mark.parametrize(
    ("names", "name", "ending", "expected"),
    [
        (["train.en", "train.en.gz", "train.en.0"], "train", ".en", ["train.en"]),
        (["train.en.gz"], "train", ".en", ["train.en.gz"]),
        (["a/b/train.csv"], "a/b/train.csv", "", ["a/b/train.csv"]),
        (["t.en.01", "t.en.00.gz", "t.en.02"], "t", ".en", ["t.en.00.gz", "t.en.01", "t.en.02"]),
        (
            ["t.en.9", "t.en.10", *(f"t.en.{n}" for n in range(1, 9))],
            "t",
            ".en",
            [f"t.en.{n}" for n in range(1, 11)],
        ),
        (
            ["t-00000-of-00002.csv", "t-00001-of-00002.csv"],
            "t.csv",
            "",
            ["t-00000-of-00002.csv", "t-00001-of-00002.csv"],
        ),
        (
            ["t.jsonl.part-00000", "t.jsonl.part-00001"],
            "t.jsonl",
            "",
            ["t.jsonl.part-00000", "t.jsonl.part-00001"],
        ),
        (["part-00000.en", "part-00001.en"], "part", ".en", ["part-00000.en", "part-00001.en"]),
        (["test-2014.en", "test-2015.en"], "test", ".en", []),
        (["a-1.en", "a-2.en.zst", "a-2.en", "b-1.en"], "a-*", ".en", ["a-1.en", "a-2.en"]),
        (["x[1].csv", "x1.csv"], "x[1].csv", "", ["x[1].csv"]),
        (["training.en"], "train", ".en", []),
    ],
)
def test_files(
    tmp_path: Path, names: list[str], name: str, ending: str, expected: list[str]
) -> None:
    files = find_files(fill(tmp_path, *names), name, ending)
    assert [str(path.relative_to(tmp_path)) for path in files.values()] == expected


def test_paths_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(fill(tmp_path, "data/x", "home/a.csv", "home/b.csv") / "home"))
    for name in ("~/a.csv", f"{tmp_path}/home/a.csv", "../home/a.csv"):
        (path,) = find_files(tmp_path / "data", name).values()
        assert path.resolve() == tmp_path / "home" / "a.csv"
    assert len(find_files(tmp_path / "data", "~/*.csv")) == 2


def test_a_number_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"without a gap, but number 1 is missing; put it back"):
        find_files(fill(tmp_path, "t.en.0", "t.en.2"), "t", ".en")


def test_what_is_there_instead(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        split_files(fill(tmp_path, "b.csv", "c/d.csv", ".hidden"), "train", "a.csv")
    assert str(caught.value) == (
        f"The file {tmp_path / 'a.csv'} of the train split does not exist ({tmp_path} has b.csv, "
        "c/); correct dataset.data_dir or dataset.train."
    )


def test_names(tmp_path: Path) -> None:
    fill(tmp_path, "train.csv.gz", "dev-0.csv", "dev-1.csv", "test-2014.csv", "a.en", "b.txt")
    assert split_names(tmp_path, [".csv", ".txt"], with_ending=True) == [
        *("b.txt", "dev.csv", "test-2014.csv", "train.csv"),
    ]
    assert split_names(tmp_path, [".en"], with_ending=False) == ["a"]


def test_pairs() -> None:
    one: dict[str | int, Path] = {0: Path("a.en.0"), 1: Path("a.en.1")}
    other: dict[str | int, Path] = {0: Path("a.de.0")}
    assert paired([other, other], ["de", "de"]) == [[Path("a.de.0")] * 2]
    with pytest.raises(InputError, match=r"^The file a\.en\.1 has no counterpart for `de`, but "):
        paired([one, other], ["en", "de"])
