"""What is put on a command line comes back through a shell and Hydra as it was."""

import random
import shlex
import subprocess
from typing import Any

import hydra
import pytest
from omegaconf import OmegaConf

from tandem.core.command_line import hydra_value, key_of, override, shell_line

PIECES = [
    *("'", '"', "''", ",", "{", "}", "[", "]", "(", ")", "$", "${", "${seed}", "${oc.env:HOME}"),
    *("\\", "\\\\", "\n", "\r", "\t", " ", "null", "true", "1e3", "0x10", "007", "1_0", "inf"),
    *(".5", "1.10", "nan", "None", "=", "~", "~/x", "+", "-", ":", "#", "%", "@", "!", "`", "*"),
    *(
        "?",
        "|",
        "&",
        ";",
        "<",
        ">",
        "/",
        ".",
        "..",
        "a",
        "b.c",
        "é",
        "日本",
        "\u2028",
        "\x07",
        "\x1b",
    ),
]
NAMES = ("a", "b.c", "encoder.*", "x_1", "a b", "a:b", "(\\d{2}),", 3)
"""Keys of mappings, which Hydra reads without quotes."""
RANDOM = random.Random(0)


def any_text() -> str:
    return "".join(RANDOM.choices(PIECES, k=RANDOM.randrange(5)))


def any_value(depth: int = 0) -> Any:
    kind = RANDOM.random()
    if kind < 0.6 or depth == 3:
        return any_text()
    if kind < 0.8:
        return RANDOM.choice([None, True, False, 0, -3, 10**15, 1.5, -1e-7, 1e22, float("inf")])
    if kind < 0.9:
        return [any_value(depth + 1) for _ in range(RANDOM.randrange(4))]
    return {name: any_value(depth + 1) for name in RANDOM.sample(NAMES, RANDOM.randrange(4))}


VALUES = [*PIECES, "", "???x", *([text] for text in PIECES), *(any_value() for _ in range(500))]


def test_every_value_comes_back_through_a_shell_and_hydra() -> None:
    words = [override(f"+v{number}", value) for number, value in enumerate(VALUES)]
    script = f"printf '%s\\0' {shell_line(words)}"
    printed = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
    assert printed.decode().split("\0")[:-1] == words == shlex.split(shell_line(words))
    with hydra.initialize(version_base="1.3", config_path=None):
        cfg = OmegaConf.to_container(hydra.compose(overrides=["+seed=1", *words]), resolve=True)
    for number, value in enumerate(VALUES):
        assert repr(cfg[f"v{number}"]) == repr(value), words[number]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("outputs/my run-1", "outputs/my run-1"),
        ("out/lr=0.1", '"out/lr=0.1"'),
        ("c,d", '"c,d"'),
        (["c,d", "e"], '["c,d",e]'),
        ("1e3", '"1e3"'),
        ("", '""'),
        ({"encoder.*": {"frozen": True}}, "{encoder.*:{frozen:true}}"),
    ],
)
def test_quotes_only_where_they_are_needed(value: Any, written: str) -> None:
    assert hydra_value(value) == written


@pytest.mark.parametrize("name", ["it's", "é", "null", "1", ""])
def test_a_key_in_braces_that_hydra_cannot_read(name: str) -> None:
    with pytest.raises(ValueError, match="no way of writing the key"):
        hydra_value({name: 1})


@pytest.mark.parametrize("argument", ["a.b=1", "+a.b='x=y'", "++a.b", "~a.b", "~a.b=1"])
def test_the_key_of_an_argument(argument: str) -> None:
    assert key_of(argument) == "a.b"
