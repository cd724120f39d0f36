"""Every number of ``conf/`` has a range, and one outside of it is refused in one sentence."""

import math
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from tandem.config.folders import config_folder
from tandem.config.instantiate import check_values
from tandem.config.ranges import (
    NO_LIMIT,
    NULL,
    RANGES,
    Range,
    check_ranges,
    every,
    find_pattern,
    find_range,
    number,
    whole,
)
from tandem.core.errors import InputError

Compose = Callable[..., DictConfig]

ROOT = config_folder()
FILES = sorted(ROOT.rglob("*.yaml"))
PROBES = (-1000.5, -1000, -2, -1, 0, 0.5, 1, 1.5, 1000.5, 10**12, math.nan, math.inf)
NO_NUMBERS = (None, "abc", "1", True, [], {})

EXEMPT = {"trainer.devices": "training.distributed refuses it with a remedy, single GPUs"}
"""Numbers without a range, and why."""

OTHER_NULLS = {
    "curriculum": "a group",
    "risk": "a group",
    "noise": "a group",
    "features": "a group",
    "source_tokenizer": "a group",
    "mbr": "a group",
    "search": "a group",
    "scorer": "a group",
    "rule": "a group",
    "*.mode": "min or max, settled by the monitor's score",
    "init_*": "a folder, a list of names, or true and false",
    "optimizer.groups": "a dict of patterns",
    "launch.rdzv_endpoint": "a host and a port",
    "trainer.max_time": "a text DD:HH:MM:SS",
    "logger.wandb.entity": "a name",
    "folder": "a folder",
    "*data_dir": "a folder",
    "dataset.hub": "a name",
    "dataset.delimiter": "a character",
    "dataset.name": "a name",
    "dataset.revision": "a name",
    "dataset.references": "a column's name",
}
"""Keys that may be null and are no numbers, and what they are."""


def content(path: Path) -> dict[str, Any]:
    """What a file says, under the package that its group has in a composed config."""
    text = path.read_text()
    inside: dict[str, Any] = yaml.safe_load(text) or {}
    for key in ("defaults", "hydra"):
        inside.pop(key, None)
    group, *rest = path.relative_to(ROOT).parts
    return {group: inside} if rest and "@package _global_" not in text else inside


EVERYTHING = OmegaConf.to_container(
    OmegaConf.merge(
        *map(content, [ROOT / "train.yaml", *(path for path in FILES if path.parent != ROOT)])
    )
)
"""All options of all groups at once, in which interpolations find what they point to."""


def leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its key; an interpolation of another key is that key's value."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from leaves(value, f"{key}.{name}" if key else name)
    elif isinstance(node, str) and (interpolated := re.fullmatch(r"\$\{([\w.]+)\}", node)):
        yield from leaves(reduce(getitem, interpolated[1].split("."), EVERYTHING), key)
    else:
        yield key, node


def is_number(value: Any) -> bool:
    """Also of a list with numbers in it, at any depth."""
    if isinstance(value, list):
        return any(map(is_number, value))
    return type(value) in (int, float)


def values_of(path: Path) -> dict[str, Any]:
    return dict(leaves(content(path)))


NUMBERS = sorted(
    {key for path in FILES for key, value in values_of(path).items() if is_number(value)}
    | {key for path in FILES for key in values_of(path) if find_range(key) is not None}
)
"""Keys that are numbers in a file of ``conf/``, or are known to take one."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_number_has_a_range_and_is_in_it(path: Path) -> None:
    for key, value in values_of(path).items():
        allowed = find_range(key)
        if allowed is not None:
            assert allowed.allows(value), (key, value, allowed.rule)
        elif is_number(value):
            assert key in EXEMPT, f"{key}={value} has no range in config/ranges.py"
        elif value is None:
            assert any(fnmatchcase(key, pattern) for pattern in OTHER_NULLS), (
                f"{key}=null has no range in config/ranges.py, and no reason in OTHER_NULLS"
            )


def nested(key: str, value: Any) -> dict[str, Any]:
    """``a.b``, 1 -> ``{"a": {"b": 1}}``."""
    for name in reversed(key.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def refused(allowed: Range) -> list[Any]:
    """Values that a range must not have; lists of them where it is a range of lists."""
    listed = allowed.rule.startswith("a list")
    probes = [[probe] for probe in PROBES] if listed else list(PROBES)
    numbers = [probe for probe in probes if not allowed.allows(probe)]
    assert len(numbers) >= 3, f"{allowed.rule} refuses next to nothing"
    optional = "null" in allowed.rule
    return [*numbers, *(value for value in NO_NUMBERS if not (optional and value is None))]


@pytest.mark.parametrize("key", [key for key in NUMBERS if key not in EXEMPT])
def test_a_value_outside_is_refused_by_its_key(key: str) -> None:
    allowed = find_range(key)
    assert allowed is not None
    for value in refused(allowed):
        with pytest.raises(InputError) as caught:
            check_ranges(nested(key, value))
        message = str(caught.value)
        assert message.startswith(f"`{key}` must be {allowed.rule}, but is "), message
        assert message.endswith(".")
        assert "\n" not in message


def test_no_pattern_is_dead() -> None:
    """Each counts for a key of ``conf/``."""
    assert set(RANGES) - {find_pattern(key) for key in NUMBERS} == set()


@pytest.mark.parametrize(
    ("allowed", "inside", "outside", "rule"),
    [
        (whole(1), [1, 10**12], [0, -2, 1.5, 2.0, "2", True, None], "a whole number of at least 1"),
        (whole(0, 3), [0, 3], [-1, 4], "a whole number from 0 to 3"),
        (number(least=0), [0, 0.0, 1e38], [-1e-9, math.inf], "a finite number of at least 0"),
        (number(above=0), [1e-9], [0, 0.0, math.nan], "a finite number above 0"),
        (number(least=0, most=1), [0, 1, 0.5], [-0.1, 1.1], "a number from 0 to 1"),
        (number(least=0, below=1), [0, 0.99], [1, 1.0], "a number of at least 0 and below 1"),
        (number(above=0, most=1), [1, 0.01], [0, False], "a number above 0 and at most 1"),
        (
            whole(1) | NO_LIMIT | NULL,
            [1, -1, None],
            [0, -2, -1.0, "null"],
            "a whole number of at least 1 or -1 (no limit) or null",
        ),
        (
            every(whole(1)),
            [[1], [1, 2]],
            [[], [1, 0], [1, None], 1, [[1]]],
            "a list in which each is a whole number of at least 1",
        ),
    ],
    ids=lambda value: value.rule if isinstance(value, Range) else "",
)
def test_ranges(allowed: Range, inside: list[Any], outside: list[Any], rule: str) -> None:
    assert allowed.rule == rule
    assert [value for value in inside if not allowed.allows(value)] == []
    assert [value for value in outside if allowed.allows(value)] == []


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("train", ["encoder.num_layers=1.5"], "`encoder.num_layers` must be a whole number of "),
        ("train", ["hidden_size=-4"], "`hidden_size` must be a whole number of at least 1, but"),
        ("train", ["dataset=spoken", "dataset.sampling_rate=0"], "`dataset.sampling_rate` must be"),
        ("train", ["encoder.num_layers=${dropout}"], "`encoder.num_layers` must be a whole"),
        (
            "train",
            ["tokenizer@source_tokenizer=char", "source_tokenizer.min_frequency=0"],
            "`source_tokenizer.min_frequency` must be",
        ),
        ("train", ["risk=self_critical", "risk.metric.chrf.beta=-1"], "`risk.metric.chrf.beta` m"),
        ("evaluate", ["run=a", "search=beam", "search.width=0"], "`search.width` must be"),
        ("evaluate", ["run=a", "metric@mbr=chrf", "mbr.chrf.char_order=0"], "`mbr.chrf.char_order"),
        ("generate", ["run=a", "max_tokens=x"], "`max_tokens` must be a whole number of at lea"),
        ("generate", ["run=a", "n_best=0"], "`n_best` must be a whole number of at least 1 or n"),
        ("score", ["run=a", "source=a", "target=b", "max_source_length=0"], "`max_source_length`"),
        ("sweep", ["file=a", "workers=0"], "`workers` must be a whole number of at least 1, but"),
        ("sweep", ["file=a", "trials=-1"], "`trials` must be a whole number of at least 1 or nu"),
    ],
    ids=str,
)
def test_commands_name_the_key_as_it_was_set(
    composed: Compose, name: str, overrides: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_values(composed(name, *overrides))
    assert str(caught.value).startswith(message)


def test_lists_with_interpolations(composed: Compose) -> None:
    sizes = "frontend.stage_sizes=[8,${hidden_size}]"
    pictures = ("features=pixels", "frontend=cnn_stem", sizes)
    check_values(composed("train", *pictures))
    with pytest.raises(InputError, match=r"^`frontend.stage_sizes` must be .* but is \[8, 0.5\]"):
        check_values(
            composed(
                "train", *pictures[:2], "frontend.stage_sizes=[8,${model.dropout}]", "dropout=0.5"
            )
        )


@pytest.mark.parametrize(
    "config",
    [
        {"encoder": {"_target_": "mine.Encoder", "num_layers": "all"}},
        {"dataset": {"_target_": "tandem_mine.load", "size": "small", "more": {"seed": -1}}},
        {"callbacks": {"mine": {"_target_": "tandem.callbacks.New", "rate": -1}}},
        {"anything": -1, "encoder": {"numbers": [-1]}},
    ],
    ids=str,
)
def test_what_is_the_users_own_is_left_alone(config: dict[str, Any]) -> None:
    check_ranges(config)


@pytest.mark.parametrize(
    "override",
    [
        "trainer.max_epochs=-1",
        "trainer.max_epochs=null",
        "trainer.max_steps=-1",
        "trainer.val_check_interval=0.5",
        "trainer.val_check_interval=7",
        "trainer.limit_train_batches=0.1",
        "trainer.limit_val_batches=0",
        "trainer.gradient_clip_val=null",
        "trainer.gradient_clip_val=0",
        "trainer.num_sanity_val_steps=-1",
        "optimizer.lr=0",
        "dropout=0",
        "callbacks.samples.count=0",
        "callbacks.last.every_n_train_steps=0",
        "max_length=1",
    ],
)
def test_edges_that_are_allowed(composed: Compose, override: str) -> None:
    check_values(composed("train", override))
