"""Means over the trials that differ in nothing else."""

import pytest
from rich.console import Console

from tandem.core.errors import InputError
from tandem.sweeps.averages import Average, averages, averages_table, check_averaged

TRIALS = [
    ({"model": "gru", "seed": "0"}, {"test/bleu": 30.0, "test/loss": 1.0}),
    ({"model": "cnn", "seed": "0"}, {"test/bleu": 10.0}),
    ({"model": "gru", "seed": "1"}, {"test/bleu": 33.0, "test/loss": 2.0}),
    ({"model": "gru", "seed": "2"}, {"test/bleu": 36.0}),
]


def test_trials_that_differ_in_the_seed_alone_are_one_group() -> None:
    assert averages(TRIALS, ["seed"]) == [
        Average({"model": "gru"}, 3, {"test/bleu": (33.0, 3.0)}),
        Average({"model": "cnn"}, 1, {"test/bleu": (10.0, 0.0)}),
    ]


def test_over_all_parameters_there_is_one_group() -> None:
    (found,) = averages(TRIALS, ["model", "seed"])
    assert (found.point, found.count) == ({}, 4)
    assert found.scores["test/bleu"] == pytest.approx((27.25, 138.25**0.5))


def test_the_table_has_a_line_a_group() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(averages_table(averages(TRIALS, ["seed"]), ["seed"]))
    lines = capture.get().splitlines()
    title = "Mean and standard deviation over seed, test split"
    assert " ".join(" ".join(lines).split()).startswith(title)
    assert [line.replace("┃", " ").split() for line in lines if "┃" in line] == [
        ["model", "trials", "bleu"]
    ]
    assert [line.replace("│", " ").split() for line in lines if "│" in line] == [
        ["gru", "3", "33.00", "±", "3.00"],
        ["cnn", "1", "10.00", "±", "0.00"],
    ]


def test_no_trials_make_an_empty_table() -> None:
    assert averages([], ["seed"]) == []
    assert averages_table([], ["seed"]).row_count == 0


def test_a_key_that_does_not_vary_is_named() -> None:
    check_averaged(["seed"], ["model", "seed"])
    with pytest.raises(
        InputError, match=r"^average: sead does not vary in this study; choose of model, seed\.$"
    ):
        check_averaged(["sead"], ["model", "seed"])
