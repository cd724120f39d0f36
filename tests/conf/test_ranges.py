"""Every key of ``conf/`` has a range, and a value outside of it is refused in one sentence."""

import itertools
import math
import re
from collections.abc import Callable, Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from tandem.config.folders import config_folder
from tandem.config.instantiate import check_values
from tandem.config.kinds import (
    FLAG,
    NAME,
    NAMES,
    NO_LIMIT,
    NULL,
    TEXT,
    Range,
    every,
    number,
    one_of,
    whole,
)
from tandem.config.ranges import (
    OUR_PACKAGES,
    RANGES,
    check_ranges,
    find_pattern,
    find_range,
    meant_values,
)
from tandem.core.errors import InputError

Compose = Callable[..., DictConfig]

ROOT = config_folder()
FILES = sorted(ROOT.rglob("*.yaml"))
PROBES = (
    *(-1000.5, -1000, -2, -1, 0, 0.5, 1, 1.5, 2.0, 1000.5, 10**12, math.nan, math.inf),
    *(None, True, "", "abc", "1", "None", [], [None], [[1]], ["a", 1.5], {}, {"a": 1}),
)
TYPES = {
    "whole number": {int},
    "finite number": {int, float},
    "a number": {int, float},
    "no limit": {int},
    "true or false": {bool},
    "false": {bool},
    "text": {str},
    "one of": {str},
    "HOST:PORT": {str},
    "a time": {str},
    "list": {list},
    "section": {dict},
    "by part": {dict},
    "null": {type(None)},
}
"""Of values, by what the rule of their range says."""

EXEMPT = {
    "trainer.devices": "config.processes refuses it with a remedy, single GPUs",
    "run": "a section of train, a folder elsewhere; bundles.runs checks that",
    **dict.fromkeys(
        [
            *("adapter", "curriculum", "risk", "noise", "reader", "features"),
            *("source_tokenizer", "mbr"),
            *("search", "scorer", "rule", "metric"),
        ],
        "a group: null, or what its option says",
    ),
}
"""Keys without a range, and why."""


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
    """Every value with its key; an interpolation of another key is that key's value, and parts of
    other packages, and what differs for some of a model's parameters, are one value.
    """
    package = str(node.get("_target_", "tandem") if isinstance(node, dict) else "tandem")
    if key == "optimizer.groups" or package.partition(".")[0] not in OUR_PACKAGES:
        yield key, node
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from leaves(value, f"{key}.{name}" if key else name)
    elif isinstance(node, str) and (interpolated := re.fullmatch(r"\$\{([\w.]+)\}", node)):
        yield from leaves(reduce(getitem, interpolated[1].split("."), EVERYTHING), key)
    else:
        yield key, node


def values_of(path: Path) -> dict[str, Any]:
    return dict(leaves(content(path)))


KEYS = sorted({key for path in FILES for key in values_of(path)} - EXEMPT.keys())
"""All keys of all files, but those without a range."""


def test_every_key_has_a_range_and_is_in_it() -> None:
    for key, value in itertools.chain.from_iterable(values_of(path).items() for path in FILES):
        if key.rpartition(".")[2] in ("_target_", "_partial_") or key in EXEMPT:
            continue
        allowed = find_range(key)
        assert allowed is not None, f"{key}={value} has no range in config/ranges.py"
        if value != "???" and "${" not in str(value):
            assert allowed.allows(value), (key, value, allowed.rule)


def nested(key: str, value: Any) -> dict[str, Any]:
    """``a.b``, 1 -> ``{"a": {"b": 1}}``."""
    for name in reversed(key.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("section", sorted({key.partition(".")[0] for key in KEYS}))
def test_a_wrong_value_is_refused_by_its_key(section: str) -> None:
    """What is accepted has a type that the rule names; the rest ends in a sentence."""
    for key in KEYS:
        if key.partition(".")[0] == section and (allowed := find_range(key)):  # not a part's class
            refuses_wrong_values(key, allowed)


def refuses_wrong_values(key: str, allowed: Range) -> None:
    types = set().union(*(kinds for words, kinds in TYPES.items() if words in allowed.rule))
    refused = 0
    for value in PROBES:
        config = nested(key, value)
        meant = dict(meant_values(config)).get(key, value)
        try:
            check_ranges(nested(key, meant))
        except InputError as error:
            message = str(error)
            inside = f"`{key}.a` must be "  # of a section whose keys have a rule of their own
            assert message.startswith((f"`{key}` must be {allowed.rule}, but is ", inside)), message
            assert message.endswith(".")
            assert "\n" not in message
            refused += 1
        else:
            assert type(meant) in types, (key, value, meant, allowed.rule)
    assert refused >= 5, f"{key}: {allowed.rule} refuses next to nothing"


SECTIONS = {
    key.rsplit(".", depth)[0] for key in KEYS for depth in range(1, 4) if key.count(".") >= depth
}


def test_no_pattern_is_dead() -> None:
    """Each counts for a key of ``conf/``."""
    assert set(RANGES) - {find_pattern(key) for key in KEYS} - SECTIONS == set()


@pytest.mark.parametrize(
    ("allowed", "inside", "outside", "rule"),
    [
        (whole(1), [1, 10**12], [0, -2, 1.5, 2.0, "2", True, None], "a whole number of at least 1"),
        (FLAG, [True, False], [0, 1, "true", None], "true or false"),
        (TEXT, ["", "a"], [1, None, True, ["a"]], "a text"),
        (NAME | NULL, ["a", None], ["", 1], "a text that is not empty or null"),
        (NAMES, [[], ["a"]], ["a", [""], [1]], "a list in which each is a text that is not empty"),
        (one_of("a", "b"), ["a"], ["c", None], "one of a, b"),
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
        (
            "train",
            ["data=5"],
            "`data` must be a section with keys of its own, but is 5; set one",
        ),
        (
            "train",
            ["data.max_source_length=None"],
            "`data.max_source_length` must be a whole number ",
        ),
        ("train", ["run.name=null"], "`run.name` must be a text that is not empty, but is null."),
        (
            "train",
            ["trainer.max_time=5"],
            "`trainer.max_time` must be a time DD:HH:MM:SS or nu",
        ),
        ("train", ["optimizer.betas=[0.9]"], "`optimizer.betas` must be a list of 2 in which each"),
        ("train", ["test=abc"], '`test` must be true or false, but is "abc".'),
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


def test_values_that_are_meant(composed: Compose) -> None:
    cfg = composed(
        "train",
        *("dataset=reverse", "dataset.size=1e2", "trainer.max_steps=1e5"),
        *(
            "trainer.val_check_interval=1.0",
            "trainer.limit_train_batches=20.0",
            "trainer.precision=16",
        ),
        *("run.name=20240101", "run.tags=mine", "init_from=5"),
        "seed=3.0",
        *("frontend=cnn_stem", "features=pixels", "frontend.stage_sizes=[8.0,16]"),
    )
    check_values(cfg)
    assert (cfg.dataset.size, cfg.trainer.max_steps, cfg.seed) == (100, 100_000, 3)
    assert (cfg.trainer.val_check_interval, cfg.trainer.limit_train_batches) == (1.0, 20)
    assert isinstance(cfg.trainer.val_check_interval, float)  # an epoch, not a batch
    assert isinstance(cfg.dataset.size, int)
    assert (cfg.run.name, cfg.run.folder) == ("20240101", "outputs/20240101")
    assert cfg.logger.wandb.name == "20240101"
    assert (cfg.run.tags, cfg.init_from) == (["mine"], "5")
    assert (cfg.frontend.stage_sizes, cfg.trainer.precision) == ([8, 16], "16")


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


def test_none_is_written_null(composed: Compose) -> None:
    with pytest.raises(InputError, match=r'but is "None"; write data\.max_source_length=null\.$'):
        check_values(composed("train", "data.max_source_length=None"))
