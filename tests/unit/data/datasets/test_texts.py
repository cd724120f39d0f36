"""Text sets as they lie on disk: with few options each is rows, columns and splits."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml

from tandem.config.folders import config_folder
from tandem.core.errors import InputError
from tandem.data import datasets
from tandem.data.stream import StreamedSplits

TABLE = "mr,ref,doc,part\n" + "".join(
    f"m{n // 4},r{n},{n % 5},{('train', 'dev', 'test', 'more')[n % 4]}\n" for n in range(40)
)


def load(name: str, folder: Path, **changes: Any) -> Any:
    """Load a set with the options of its config, a few changed."""
    content = yaml.safe_load((config_folder() / "dataset" / f"{name}.yaml").read_text())
    options = {**content["dataset"], "strip": False, "streaming": False, "on_bad_example": "error"}
    target = options.pop("_target_").rpartition(".")[2]
    return getattr(datasets, target)(**{**options, "data_dir": str(folder), **changes})


def fill(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def lines(text: str, count: int = 10) -> str:
    return "".join(text.format(number) + "\n" for number in range(count))


REFERENCES = [f"ref{number}" for number in range(4)]
LAYOUTS: dict[str, tuple[str, dict[str, str], dict[str, Any], tuple[int, ...]]] = {
    "NL2Bash": (
        "parallel",
        {"all.nl": lines("a{}"), "all.cm": lines("b{}"), "README": "x"},
        {"source": "nl", "target": "cm"},
        (9, 1),
    ),
    "shards": (
        "parallel",
        {
            f"{name}.{side}": "x\n"
            for name in ("train", "dev")
            for side in ("a.0", "a.1", "b.0", "b.1")
        },
        {"source": "a", "target": "b"},
        (2, 2),
    ),
    "JFLEG": (
        "parallel",
        {f"{split}.{side}": "x\ny\n" for split in ("dev", "test") for side in ("src", *REFERENCES)},
        {
            "source": "src",
            "target": None,
            "references": REFERENCES,
            "train": "dev",
            "validation": "test",
        },
        (8, 2, 2),
    ),
    "references of held-out splits alone": (
        "parallel",
        {"train.a": "x\n", "train.b": "y\n", "dev.a": "x\n", "dev.r0": "y\n", "dev.r1": "\n"},
        {"source": "a", "target": "b", "references": ["r0", "r1"]},
        (1, 1),
    ),
    "Anki": (
        "tsv",
        {"anki/fra.txt": lines('Go {}."\tVa\tCC-BY')},
        {"train": "anki/fra.txt"},
        (9, 1),
    ),
    "CMUdict": (
        "csv",
        {"dict": ";;; x\n" + lines("w{} A B C")},
        {
            "train": "dict",
            "source": 0,
            "target": 1,
            "delimiter": " ",
            "comment": ";;;",
            "rest": "join",
        },
        (9, 1),
    ),
    "Anki, unpacked": (
        "tsv",
        {"fra.txt": lines("x{}\ty"), "_about.txt": "x\n", "README.md": "x\n"},
        {},
        (9, 1),
    ),
    "one kind of table": (
        "tsv",
        {"train.tsv": "x\ty\n", "dev.tsv": "x\ty\n", "more.csv": "", "notes.txt": ""},
        {},
        (1, 1),
    ),
    "a name without an ending": (
        "csv",
        {"cmudict-0.7b": lines("w{},x"), "LICENSE": ""},
        {"source": 0, "target": 1},
        (9, 1),
    ),
    "E2E": (
        "csv",
        {"trainset.csv": TABLE, "devset.csv": TABLE},
        {"source": "mr", "target": "ref", "references": "by_source"},
        (40, 10),
    ),
    "CoNaLa": (
        "json",
        {
            f"conala-{split}.json": json.dumps([{"q": "x", "a": 1}])
            for split in ("train", "test", "dev")
        },
        {"source": "q", "target": "a"},
        (1, 1, 1),
    ),
    "a column of splits": (
        "csv",
        {"all.csv": TABLE},
        {"source": "mr", "target": "ref", "split_column": "part"},
        (10, 10, 10),
    ),
    "groups": (
        "csv",
        {"all.csv": TABLE},
        {"source": "mr", "target": "ref", "group": "doc", "test": 0.2},
        (24, 8, 8),
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_layouts(tmp_path: Path, case: str) -> None:
    name, files, options, sizes = LAYOUTS[case]
    data = load(name, fill(tmp_path, files), **options)
    assert list(data) == ["train", "validation", "test"][: len(sizes)]
    assert tuple(split.num_rows for split in data.values()) == sizes


def test_a_file_as_the_folder(tmp_path: Path) -> None:
    fill(tmp_path, {"a.tsv": lines("x{}\ty"), "b.tsv": "x\ty\n"})
    assert load("tsv", tmp_path / "a.tsv")["train"].num_rows == 9


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("name", ["csv", "tsv", "json", "parallel", "hub"])
def test_ends_of_texts(tmp_path: Path, name: str, streaming: bool, strip: bool) -> None:
    """Every reader, in memory or as a stream, keeps what stands around a text."""
    source, target = " \u2028x\ty" if name == "json" else " \u2028x y", "  return z \x1f"
    table = f"{source}\t{target}\n"
    row = json.dumps({"0": source, "1": target}) + "\n"
    files = {
        "csv": {"train.csv": f'a,b\r\n"{source}",{target}\r\n'},
        "tsv": {"train.tsv": table},
        "parallel": {"train.a": f"{source}\r\n", "train.b": f"{target}\r\n"},
    }.get(name, {"train.jsonl": row})
    held_out = {file.replace("train", "dev"): content for file, content in files.items()}
    names = (
        {"source": "a", "target": "b"}
        if name in ("csv", "parallel")
        else {"source": "0", "target": "1"}
    )
    options: dict[str, Any] = {} if name == "tsv" else dict(names)
    if name == "hub":
        held_out = {"validation.jsonl": row}
        options["path"] = str(tmp_path)
    fill(tmp_path, {**files, **held_out})
    if name == "hub":
        data = load_hub(strip=strip, streaming=streaming, **options)
    else:
        data = load(name, tmp_path, strip=strip, streaming=streaming, **options)
    expected = (source.strip(), target.strip()) if strip else (source, target)
    if isinstance(data, StreamedSplits):
        assert list(data.train.sample(2)) == [expected]
        data = data.held_out
    assert {tuple(row.values()) for split in data.values() for row in split} == {expected}


def load_hub(**changes: Any) -> Any:
    content = yaml.safe_load((config_folder() / "dataset" / "hub.yaml").read_text())["dataset"]
    del content["_target_"]
    return datasets.hub(**{**content, "on_bad_example": "error", **changes})


@pytest.mark.parametrize("name", ["csv", "tsv", "json"])
def test_tables_are_streams(tmp_path: Path, name: str) -> None:
    row = {"csv": '"x\n{}",y', "tsv": "x\n{}\ty", "json": '{{"a": "x{}", "b": "y"}}'}[name]
    row = row.replace("\n", "") if name == "tsv" else row
    start = "a,b\n" if name == "csv" else ""
    ending = name.replace("json", "jsonl")
    fill(tmp_path, {f"train-{n}.{ending}": start + lines(row) for n in range(2)})
    fill(tmp_path, {f"dev.{ending}": start + lines(row)})
    columns = {} if name == "tsv" else {"source": "a", "target": "b"}
    data = load(name, tmp_path, validation=f"dev.{ending}", streaming=True, **columns)
    read = list(data.train.read([1, 0], ()))
    assert len(data.train.shards) == 2
    assert len(read) == 20
    for number, (_, place) in enumerate(read, start=1):
        assert list(data.train.read([1, 0], place)) == read[number:]


def test_rows_of_one_source(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tandem")
    fill(tmp_path, {"train.csv": TABLE, "dev.csv": TABLE})
    load("csv", tmp_path, source="mr", target="ref")
    assert caplog.messages[-1].startswith(
        "The validation split has 40 rows of 10 different sources; dataset.references=by_source "
    )
    caplog.clear()
    data = load("csv", tmp_path, source="mr", target="ref", references="by_source")
    assert len(caplog.messages) == 1
    assert data["validation"][1] == {
        **{"source": "m1", "target": "r4", "references": ["r4", "r5", "r6", "r7"]}
    }
    assert "references" not in data["train"].column_names


def test_each_reference_is_a_target(tmp_path: Path) -> None:
    row = '{"a": "x", "r": ["p", "", "q"]}\n'
    fill(tmp_path, {"train.jsonl": row, "dev.jsonl": row})
    data = load("json", tmp_path, source="a", target=None, references="r")
    assert data["train"]["target"][:] == ["p", "q"]
    assert data["validation"][:] == {"source": ["x"], "target": ["p"], "references": [["p", "q"]]}


@pytest.mark.parametrize(
    ("name", "files", "options", "message"),
    [
        (
            "parallel",
            {"train.a.0": "x\n", "train.a.1": "x\n", "train.b.0": "y\n"},
            {"source": "a", "target": "b", "train": "train"},
            "has no counterpart for `b`, but files side by side need one of each",
        ),
        (
            "parallel",
            {"a.txt": "", "b.txt": ""},
            {"source": "en", "target": "de"},
            "(files *.en and *.de), which has a.txt, b.txt; set dataset.train to its name, or corr",
        ),
        (
            "json",
            {"train.json": '[{"a": "x", "b": "y"}]', "dev.json": '[{"a": "x", "b": "y"}]'},
            {"source": "a", "target": "b", "streaming": True},
            "must be read as a whole, but data.streaming=true reads files from any row on",
        ),
        (
            "csv",
            {"all.csv": TABLE},
            {"source": "mr", "target": "ref", "split_column": "part", "test": "eval"},
            "No row has dataset.test=eval in the column `part`, which has dev, more, test, train; ",
        ),
        (
            "csv",
            {"all.csv": TABLE},
            {"source": "mr", "target": "ref", "split_column": "part", "streaming": True},
            "dataset.split_column sorts rows that are all read, but data.streaming=true reads fil",
        ),
        (
            "csv",
            {"all.csv": TABLE},
            {"source": "mr", "target": "ref", "streaming": True},
            "dataset.validation=0.1 is a share of the training rows, but data.streaming=true reads",
        ),
        (
            "csv",
            {"all.csv": "a,b,a\nx,y,z\n"},
            {"source": "a", "target": "b"},
            "has several columns of the name `a`; rename them.",
        ),
        (
            "csv",
            {"all.csv": "a,b\n"},
            {"source": "a", "target": "b", "header": False},
            "dataset.source (a) is a name, but with dataset.header=false columns have none",
        ),
    ],
)
def test_sets_that_cannot_be_read(
    tmp_path: Path, name: str, files: dict[str, str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(name, fill(tmp_path, files), **options)
    assert message in str(caught.value)


def test_bad_rows_are_skipped_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tandem")
    fill(tmp_path, {"train.tsv": "a\tb\n\tb\nc\nd\te\n", "dev.tsv": "x\ty\n"})
    data = load("tsv", tmp_path, on_bad_example="skip")
    assert data["train"][:] == {"source": ["a", "d"], "target": ["b", "e"]}
    assert caplog.messages[-1].startswith(
        f"Skipped 2 of 4 examples; the first: The source at {tmp_path / 'train.tsv'} line 2 is "
    )
