"""Shares of the training rows: exact, by seed, and equal rows on one side."""

import logging
from itertools import chain
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.data.splitting import Splitting, check_streaming, hold_out


def splitting(**changes: Any) -> Splitting:
    return Splitting(**{"train": "all", "validation": 0.1, "test": 0.1, "seed": 0, **changes})


def divide(rows: list[str], **changes: Any) -> dict[str, list[str]]:
    return splitting(**changes).divide({"train": rows}, str.lower)  # type: ignore[return-value]


def test_each_split_has_its_share_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tandem")
    rows = [f"row {number}" for number in range(160)]
    splits = divide(rows)
    assert list(splits) == ["train", "validation", "test"]
    assert [len(split) for split in splits.values()] == [128, 16, 16]
    assert sorted(chain(*splits.values()), key=rows.index) == rows
    assert all(split == sorted(split, key=rows.index) for split in splits.values())
    assert caplog.messages == ["Split all by dataset.seed=0: train 128, test 16, validation 16"]


def test_what_decides_about_a_row() -> None:
    rows = [f"row {number}" for number in range(40)]
    splits = divide(rows)
    assert divide(rows[::-1])["test"] == splits["test"][::-1]
    assert divide(rows, validation=0.3)["test"] == splits["test"]
    assert divide(rows, seed=1)["test"] != splits["test"]


@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_are_on_one_side(seed: int) -> None:
    rows = [f"row {number}" for number in range(30)] + ["ROW 7", "row 7", "Row 3"] + ["many"] * 20
    splits = divide(rows, seed=seed)
    sides = [{row.lower() for row in split} for split in splits.values()]
    assert len(sides[0] | sides[1] | sides[2]) == sum(map(len, sides))
    assert "many" in splits["train"]  # larger than a share, while others are there
    assert all(6 <= len(splits[name]) <= 8 for name in ("validation", "test"))


def test_a_split_with_a_name_keeps_its_rows() -> None:
    splits = splitting(test="mine").divide({"train": ["a", "b"], "test": ["c"]}, str)
    assert splits["test"] == ["c"]
    assert len(splits["train"]) == len(splits["validation"]) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"validation": None},
            "dataset.validation must be the name of the validation split, or a ",
        ),
        ({"validation": 1}, "between 0 and 1 such as 0.1, but is 1."),
        ({"test": 1.0}, "dataset.test must be the name of the test split, or a share"),
        ({"test": -0.1}, "dataset.test must be the name of the test split, or a share"),
        (
            {"validation": 0.5, "test": 0.5},
            "dataset.validation=0.5 and dataset.test=0.5 are shares of the training rows that "
            "leave none to train on; lower them.",
        ),
    ],
)
def test_parts_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        splitting(**changes)
    assert message in str(caught.value)


def test_rows_that_cannot_be_divided() -> None:
    with pytest.raises(InputError, match="Shares for test and validation cannot be held out of 4 "):
        divide(["a"] * 4)
    with pytest.raises(InputError, match=r"dataset\.test=0\.1 is a share of the training rows, bu"):
        check_streaming(splitting(), streaming=True)
    assert hold_out(["a", "b"], {"test": 0.1}, seed=0, group=str)["test"] in (["a"], ["b"])


def test_the_smallest_of_groups_that_are_all_too_large() -> None:
    """Of two speakers the one with fewer recordings is held out, whatever the seed."""
    rows = ["a"] * 45 + ["b"] * 14
    for seed in range(5):
        assert hold_out(rows, {"validation": 0.1}, seed=seed, group=str)["validation"] == ["b"] * 14


NOTHING: dict[str, Any] = {"train": "auto", "validation": "auto", "test": "auto"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train.csv"], ("train.csv", 0.1, None)),
        (["fra.txt"], ("fra.txt", 0.1, None)),
        (["test.csv", "train.csv", "val.csv"], ("train.csv", "val.csv", "test.csv")),
        (["dev.tsv", "train.tsv", "valid.tsv"], ("train.tsv", "valid.tsv", None)),
        (["dev", "test", "train", "train_small"], ("train", "dev", "test")),
        (["fre_dev.tsv", "fre_train.tsv"], ("fre_train.tsv", "fre_dev.tsv", None)),
        (["Test.csv", "Train.csv"], ("Train.csv", 0.1, "Test.csv")),
        (["training", "validation"], ("training", "validation", None)),
        (["all.csv", "test.csv"], ("all.csv", 0.1, "test.csv")),
        (["constrained.csv"], ("constrained.csv", 0.1, None)),
    ],
)
def test_what_auto_stands_for(names: list[str], expected: tuple[Any, ...]) -> None:
    settled = splitting(**NOTHING).settled(names, where="here")
    assert (settled.train, settled.validation, settled.test) == expected


@pytest.mark.parametrize(
    ("train", "there"),
    [("train/fre_train.tsv", "dev/fre_dev.tsv"), ("train_data/train", "train_data/valid")],
)
def test_counterparts_of_paths(train: str, there: str) -> None:
    parts = splitting(train=train, validation="auto", test=None)
    assert parts.settled([], where="here", has=there.__eq__).validation == there


def test_auto_says_what_it_took(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tandem")
    splitting(**NOTHING).settled(["train", "dev"], where="here")
    assert caplog.messages == ["Splits: train train, validation dev"]


@pytest.mark.parametrize("names", [[], ["a.csv", "b.csv"], ["dev.csv", "test.csv"]])
def test_auto_finds_nothing_to_train_on(names: list[str]) -> None:
    with pytest.raises(InputError, match=r"dataset\.train=auto .* in here") as caught:
        splitting(**NOTHING).settled(names, where="here")
    assert all(name in str(caught.value) for name in names)
