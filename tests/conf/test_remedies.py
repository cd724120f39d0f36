"""What errors tell to do can be done with the command that they come up in."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from tandem.commands.help import COMMANDS
from tandem.config.catalogue import config_groups, option_names, view
from tandem.config.ranges import find_range
from tandem.config.remedies import KEY, OF_A_MODEL, OF_DATA, for_command, foreign_keys
from tandem.core.errors import InputError, NoRoomError

PACKAGE = Path(__file__).parents[2] / "src" / "tandem"
READING = ("evaluate", "generate", "score")
RAISED_IN = {
    "commands/evaluate.py": ("evaluate",),
    "commands/files.py": ("generate", "score"),
    "commands/generate.py": ("generate",),
    "commands/report.py": ("report",),
    "commands/score.py": ("score",),
    "commands/serve.py": ("serve",),
    "serving": ("serve",),
    "commands/sweep.py": ("sweep",),
    "commands/train.py": ("train",),
    "commands/windows.py": ("generate", "score"),
    "config/bundles.py": ("evaluate", "generate"),
    "config": ("train",),
    "callbacks": ("train",),
    "data/features": ("train", *READING),
    "data/readers": ("train", *READING),
    "data/tokenizers": ("train", *READING),
    "data": ("train", "evaluate"),
    "loggers": ("train",),
    "metrics": ("train", "evaluate", "report"),
    "reports": ("report",),
    "sweeps": ("sweep",),
    "training": ("train",),
    # What these say names keys that they are given, or is no error.
    **dict.fromkeys(["core", "testing", "config/remedies.py"], ()),
    **dict.fromkeys([f"commands/{name}.py" for name in ("help", "completion", "console")], ()),
}
"""The commands in which an error of a file or folder can come up; of the others, in all that have a
model. The first one that fits counts."""
VALUE = "\N{REPLACEMENT CHARACTER}"
"""What stands for a value that is only known when an error is raised."""


@cache
def sentences(path: Path) -> list[str]:
    """The texts with blanks in a file, but for docstrings; a value is a sign in them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts: list[str] = []

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.JoinedStr):
            parts = (
                part.value if isinstance(part, ast.Constant) else VALUE for part in node.values
            )
            texts.append("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
        for child in ast.iter_child_nodes(node):
            if not isinstance(node, ast.JoinedStr) or isinstance(child, ast.FormattedValue):
                walk(child)

    walk(tree)
    return [text for text in texts if " " in text.strip()]


def commands_of(file: str) -> tuple[str, ...]:
    fitting = (found for start, found in RAISED_IN.items() if file.startswith(start))
    return next(fitting, ("train", *READING))


FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
RAISING = [file for file in FILES if commands_of(file)]
FOLDERS = sorted({file.partition("/")[0] for file in RAISING})


def as_error(text: str) -> str:
    """A sentence as it stands, or one around a part of a sentence."""
    text = text.replace(f"dataset.{VALUE}", "dataset.train").replace(VALUE, "it")
    if text.startswith((", ", "; ")):
        return f"It is so; do it{text}"
    return text if text[0].isupper() or ";" in text else f"It is so; {text}"


def sentences_of(folder: str) -> Iterator[tuple[str, str]]:
    """Each text of each file of a folder, with the file."""
    for file in RAISING:
        if file.partition("/")[0] == folder:
            yield from ((file, text) for text in sentences(FILES[file]))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_remedy_names_keys_that_the_command_has(folder: str) -> None:
    cases = sentences_of(folder)
    for command, text in ((command, text) for file, text in cases for command in commands_of(file)):
        error = InputError(as_error(text))
        fitting = for_command(error, command)
        for remedy in str(fitting).split("; ")[1:]:
            assert not foreign_keys(remedy, command), (text, remedy)
            is_broken = remedy.startswith(("to ", "or ", "and ", ","))
            assert fitting is error or not is_broken, (text, remedy)


@cache
def all_keys() -> set[str]:
    """The keys and groups of every command, with every option of every group."""
    views = [
        view(command) for command in ("evaluate", "generate", "score", "serve", "report", "sweep")
    ]
    views += [
        view("train", [f"{group}={option}"])
        for group, options in config_groups().items()
        for option in options
    ]
    return {key for one in views for key in (*one.entries, *one.groups)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_remedy_can_be_given(folder: str) -> None:
    """Keys exist, options are options of their groups, and values are in the ranges of the keys."""
    groups = config_groups()
    roots = {name.partition(".")[0] for name in all_keys()}
    for _, text in sentences_of(folder):
        for match in KEY.finditer(text):
            key, rest = match[1], text[match.end() :]
            if key.partition(".")[0] not in roots or VALUE in key:
                continue
            if rest.startswith(VALUE) and "." in key:
                continue
            is_ours = "." not in key or key in all_keys() or find_range(key) is not None
            assert is_ours or key in NOT_KEYS, (text, key)
            value = rest[1:].split(" ")[0].rstrip(".,;)") if rest.startswith("=") else VALUE
            is_whole = value.count("[") == value.count("]") and not set(value) & {*"{%", VALUE}
            if not is_whole or not value.strip(".") or value.isupper():
                continue
            if key in groups:
                names = value.strip("[]").split(",")
                assert set(names) <= {*option_names(key), "null", "none"}, (text, key, value)
            elif allowed := find_range(key):
                read = float(value) if "e-" in value else yaml.safe_load(value)
                assert allowed.allows(allowed.meant(read)), (text, key, value)


NOT_KEYS = {"data.json", "run.json", "metric.name", "metric.goal"}
"""Names of files, and keys of studies, which begin as keys do."""


def test_a_command_that_is_named_exists() -> None:
    for file in RAISING:
        for text in sentences(FILES[file]):
            for name in text.split("tandem ")[1:]:
                word = name.split()[0].strip("`'\".,;:") if name.split() else ""
                assert word in {*COMMANDS, VALUE, "--help", "--version"}, (file, text)


@pytest.mark.parametrize(
    ("command", "error", "expected"),
    [
        (
            "generate",
            "The picture a is empty; replace it, or set data.on_bad_example=skip to leave it out.",
            "The picture a is empty; replace it.",
        ),
        ("generate", "It is bad; set data.on_bad_example=skip.", f"It is bad; {OF_DATA['score']}."),
        (
            "evaluate",
            "The folder dataset.data_dir=a is none; correct dataset.data_dir or dataset.train.",
            "The folder data_dir=a is none; correct data_dir.",
        ),
        (
            "evaluate",
            "a has no column b; set dataset.source to one, or to a number.",
            f"a has no column b; {OF_DATA['evaluate']}.",
        ),
        (
            "evaluate",
            "a; add it, remove the file or set data.on_bad_example=skip.",
            "a; add it or remove the file.",
        ),
        ("score", "No CTC; choose scorer=none.", f"No CTC; {OF_A_MODEL}."),
        (
            "generate",
            "No; leave it out, or train with attention=additive or attention=dot.",
            "No; leave it out, or train with attention=additive.",
        ),
        ("train", "a; pass trusted=[b], and else don't use it.", "a; don't use it."),
        ("sweep", "a; set optimizer.lr=1 or workers=2.", "a; set optimizer.lr=1 or workers=2."),
        ("generate", "The file data.json; b is none; correct input=...", None),
        ("generate", "`features.channels` must be 1, but is 7.", None),
    ],
)
def test_what_is_left_of_a_remedy(command: str, error: str, expected: str | None) -> None:
    assert str(for_command(InputError(error), command)) == (expected or error)


def test_an_error_keeps_its_kind() -> None:
    error = for_command(NoRoomError("a; set data.streaming=true."), "generate")
    assert type(error) is NoRoomError
