"""SCAN: interpretations by hand, sizes as published, equality with the published files."""

import re
from collections import Counter
from pathlib import Path

import pytest
from datasets import Dataset

from tandem.core.errors import InputError
from tandem.data.datasets import scan
from tandem.data.datasets.scan import SPLIT_KINDS, all_pairs


def pairs(*splits: Dataset) -> Counter[tuple[str, str]]:
    """Count the pairs of some splits."""
    counts: Counter[tuple[str, str]] = Counter()
    for split in splits:
        counts.update(zip(split["source"][:], split["target"][:], strict=True))
    return counts


def published(path: Path) -> Counter[tuple[str, str]]:
    """Count the pairs of a published file."""
    lines = path.read_text().splitlines()
    split = (line.removeprefix("IN: ").split(" OUT: ") for line in lines)
    return Counter((command, actions) for command, actions in split)


@pytest.mark.parametrize(
    ("command", "actions"),
    [
        ("jump", "I_JUMP"),
        ("turn left", "I_TURN_LEFT"),
        ("walk opposite right", "I_TURN_RIGHT I_TURN_RIGHT I_WALK"),
        ("turn opposite left", "I_TURN_LEFT I_TURN_LEFT"),
        ("turn around right", " ".join(["I_TURN_RIGHT"] * 4)),
        ("look around left", " ".join(["I_TURN_LEFT I_LOOK"] * 4)),
        ("run twice and look", "I_RUN I_RUN I_LOOK"),
        ("run left thrice after walk", "I_WALK" + " I_TURN_LEFT I_RUN" * 3),
    ],
)
def test_interpretation_by_hand(command: str, actions: str) -> None:
    assert dict(all_pairs())[command] == actions


def test_all_commands_once() -> None:
    assert len(all_pairs()) == len(dict(all_pairs())) == 20_910


@pytest.mark.parametrize(
    ("split", "train", "test"),
    [
        ("simple", 16_728, 4_182),
        ("length", 16_990, 3_920),
        ("addprim_jump", 14_670, 7_706),
        ("addprim_turn_left", 21_890, 1_208),
    ],
)
def test_sizes_as_published(split: str, train: int, test: int) -> None:
    data = scan(split=split, seed=0, validation_size=100)
    assert {name: part.num_rows for name, part in data.items()} == {
        "train": train - 100,
        "validation": 100,
        "test": test,
    }
    assert not pairs(data["validation"]) & pairs(data["train"])
    assert not pairs(data["test"]) & pairs(data["train"], data["validation"])


@pytest.mark.parametrize("split", ["length", "addprim_jump", "addprim_turn_left"])
def test_members_equal_the_published_files(split: str, real_sets: Path) -> None:
    data = scan(split=split, seed=3, validation_size=500)
    folder = real_sets / "scan"
    assert pairs(data["train"], data["validation"]) == published(folder / f"{split}.train.txt")
    assert pairs(data["test"]) == published(folder / f"{split}.test.txt")


def test_simple_has_the_published_pairs(real_sets: Path) -> None:
    data = scan(split="simple", seed=3, validation_size=500)
    files = [real_sets / "scan" / f"simple.{part}.txt" for part in ("train", "test")]
    assert pairs(*data.values()) == published(files[0]) + published(files[1])


def test_turn_right_mirrors_turn_left() -> None:
    sides = {"left": "right", "right": "left", "LEFT": "RIGHT", "RIGHT": "LEFT"}

    def mirrored(text: str) -> str:
        return re.sub("left|right|LEFT|RIGHT", lambda found: sides[found.group()], text)

    left, right = (
        scan(split=split, seed=0, validation_size=50)
        for split in ("addprim_turn_left", "addprim_turn_right")
    )
    for parts in (("train", "validation"), ("test",)):
        theirs = pairs(*(left[part] for part in parts))
        ours = pairs(*(right[part] for part in parts))
        assert ours == Counter(
            {(mirrored(command), mirrored(actions)): n for (command, actions), n in theirs.items()}
        )


@pytest.mark.parametrize("split", SPLIT_KINDS)
def test_seed_decides(split: str) -> None:
    first, same, other = (
        scan(split=split, seed=seed, validation_size=50)["validation"]["source"][:]
        for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other


def test_unknown_split() -> None:
    with pytest.raises(InputError) as caught:
        scan(split="mcd1", seed=0, validation_size=1)
    assert str(caught.value) == (
        "dataset.split (mcd1) must be one of simple, length, addprim_jump, addprim_turn_left, "
        "addprim_turn_right."
    )


@pytest.mark.parametrize("size", [0, 16_728])
def test_validation_size_out_of_bounds(size: int) -> None:
    with pytest.raises(InputError) as caught:
        scan(split="simple", seed=0, validation_size=size)
    assert str(caught.value) == (
        f"dataset.validation_size ({size}) must be at least 1 and less than 16728, the number of "
        "different training pairs."
    )
