"""Generates the reference of the configuration and of the commands while the site is built.

All text is from where ``--help`` has it, ``conf/`` with its comments and the table of ranges, and
from the docstrings of what options make. Nothing generated is kept in the repository.
"""

import html
import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from tandem.commands.help import COMMANDS, EXAMPLES, MORE, USAGE
from tandem.config.catalogue import (
    Default,
    Entry,
    View,
    config_groups,
    option_names,
    read_option,
    view,
)
from tandem.config.folders import study_names, study_summary
from tandem.config.ranges import find_range

FOLDER = "reference/config/"
"""Of the generated pages, one a group; the navigation names it to have all of them."""
INDEX = f"{FOLDER}index.md"
COMMANDS_PAGE = "reference/commands.md"
KEYED = [command for command in COMMANDS if command != "completion"]
"""Commands that have keys."""
INTRODUCTION = """\
# Configuration

Every experiment is a set of *options* and *keys*. An option fills a group: `encoder=lstm` takes the
file `conf/encoder/lstm.yaml`. A key has a value: `encoder.num_layers=2`. Both are given on the
command line of `tandem train`; [the commands](../commands.md) lists those of the other commands.

These pages list every group, option and key of Tandem, with the default of each key, its meaning
and the values that it may have. `tandem train --help` prints the same in a terminal:

```sh
tandem train --help encoder
tandem train --help encoder=lstm
tandem train --help encoder.num_layers
```

- A default such as `${hidden_size}` is the value of another key, here of `hidden_size`.
- *needed* means that there is no default: give the key a value.
- `null` means that the key is not set. Its meaning says what happens then.

| group | default | what it is for |
|---|---|---|
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages where the navigation names their folder."""
    config.nav = _expanded(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


@cache
def pages() -> dict[str, str]:
    """Every generated page: its path below ``docs``, and its text."""
    made = {f"{FOLDER}{group}.md": _group_page(group) for group in _ordered_groups()}
    return {INDEX: _index_page(), **made, COMMANDS_PAGE: _commands_page()}


def _expanded(nav: Any) -> Any:
    if isinstance(nav, list):
        return [_expanded(item) for item in nav]
    if isinstance(nav, dict):
        return {title: _expanded(item) for title, item in nav.items()}
    groups = _ordered_groups()
    return [INDEX, *({group: f"{FOLDER}{group}.md"} for group in groups)] if nav == FOLDER else nav


@cache
def _uses() -> dict[str, list[tuple[str, Default]]]:
    """For each group: the commands that have it, and what each says of it."""
    found: dict[str, list[tuple[str, Default]]] = {group: [] for group in config_groups()}
    for command in KEYED:
        for default in view(command).groups.values():
            found[default.group].append((command, default))
    return found


def _ordered_groups() -> list[str]:
    """All groups as ``tandem train --help`` lists them."""
    return list(dict.fromkeys(one.group for one in view("train").groups.values()))


def _index_page() -> str:
    rows = []
    for group in _ordered_groups():
        _, default = _uses()[group][0]
        rows.append(f"| [{group}]({group}.md) | {_chosen(default)} | {_text(default.comment)} |")
    return f"{INTRODUCTION}{_lines(rows)}\n"


def _group_page(group: str) -> str:
    """Its options, each with its keys."""
    command, default = _uses()[group][0]
    others = [f"`tandem {name}` (`{one.name}=`)" for name, one in _uses()[group][1:]]
    usage = f"{group}=[OPTION,OPTION]" if default.is_list else f"{group}=OPTION"
    always = {
        one.name: one
        for one in view(command).of_command()
        if one.name.startswith(f"{default.package}.")
    }
    chosen = _chosen(default)
    absent = view(command).entries.get(default.package)
    if absent and absent.comment and not default.options:
        chosen += f": {_text(absent.comment.removeprefix('null: '))}"
    parts = [
        f"# {group}",
        f"{_sentence(default.comment)} `tandem {command}` takes it as `{usage}`.",
        f"Default: {chosen}.",
        *([f"Also in {', '.join(others)}."] if others else []),
        _lines(["| option | what it is |", "|---|---|", *_option_rows(default)]),
        *(["## With every option { #every-option }", _keys(always.values())] if always else []),
    ]
    for option in option_names(group):
        known = view(command, [f"{default.name}={option}"])
        parts += _option_parts(known, known.groups[default.name], option, always)
    return "\n\n".join(parts) + "\n"


def _option_rows(default: Default) -> Iterator[str]:
    for option in option_names(default.group):
        title = read_option(default.group, option).title
        yield f"| [`{option}`](#{_anchor(option)}) | {_text(title)} |"


def _option_parts(
    known: View, default: Default, option: str, always: dict[str, Entry]
) -> Iterator[str]:
    """The section of an option: what it is, what it chooses, and its keys."""
    file = read_option(default.group, option)
    yield f"## {option} {{ #{_anchor(option)} }}"
    yield " ".join(_text(line) for line in file.summary if not line.startswith("tandem "))
    commands = [line for line in file.summary if line.startswith("tandem ")]
    if commands:
        yield _lines(["```sh", *commands, "```"])
    if file.target and file.target.startswith("tandem."):
        yield f"{_description(file.target)}\n\nMade by `{file.target}`."
    if file.overrides:
        chosen = " ".join(f"`{one.name}={_options(one)}`" for one in file.overrides)
        yield f"It chooses {chosen}."
    entries = known.of_option(default, option)
    keys = [one for one in entries if one != always.get(one.name) and one.name != default.package]
    yield _keys(keys) if any(_is_shown(one) for one in keys) else "It has no keys of its own."


def _description(target: str) -> str:
    """What the docstring of a class or function says before its parameters, as Markdown."""
    module, _, name = target.rpartition(".")
    text = inspect.getdoc(getattr(import_module(module), name)) or ""
    text = re.split(r"^:\w", text, maxsplit=1, flags=re.MULTILINE)[0].strip()
    pieces = re.split(r"``(.+?)``", re.sub(r":\w+:`([^`]+)`", r"``\1``", text), flags=re.DOTALL)
    return "".join(f"`{one}`" if row % 2 else _text(one) for row, one in enumerate(pieces))


def _commands_page() -> str:
    """Every command with its examples, groups and keys."""
    parts = [
        "# Commands",
        "`tandem COMMAND --help` prints what stands here. Keys of options are in "
        "[the configuration](config/index.md).",
        _lines(
            ["| command | what it does |", "|---|---|"]
            + [f"| [`tandem {name}`](#tandem-{name}) | {what} |" for name, what in COMMANDS.items()]
        ),
    ]
    for command, what in COMMANDS.items():
        examples = [one for one in EXAMPLES.splitlines() if one.startswith(f"tandem {command} ")]
        parts += [
            f"## tandem {command}",
            _sentence(what),
            f"```\ntandem {command} {USAGE[command]}\n```",
        ]
        if command in KEYED:
            parts += [_lines(["For example:", "", "```sh", *examples, "```"])] if examples else []
            parts += _command_parts(command)
    flags = [f"| `tandem train {flag}` | {_text(what)} |" for flag, what in MORE.items()]
    parts += ["## Flags of every command", _lines(["| flag | what it does |", "|---|---|", *flags])]
    return "\n\n".join(parts) + "\n"


def _command_parts(command: str) -> Iterator[str]:
    groups = view(command).groups.values()
    if groups:
        rows = [
            f"| [`{one.name}`](config/{one.group}.md) | {_chosen(one)} | {_text(one.comment)} |"
            for one in groups
        ]
        yield _lines(["| group | default | what it is for |", "|---|---|---|", *rows])
    yield _keys(view(command).of_command())
    if command == "sweep":
        rows = [f"| `{name}` | {_text(study_summary(name))} |" for name in study_names()]
        yield _lines(["| study | what it compares |", "|---|---|", *rows])


def _keys(entries: Iterable[Entry]) -> str:
    """A table of keys."""
    rows = [_row(one) for one in entries if _is_shown(one)]
    table = _lines(["| key | default | meaning |", "|---|---|---|", *rows])
    return f'<div class="keys" markdown>\n\n{table}\n\n</div>'


def _is_shown(entry: Entry) -> bool:
    """Whether it is a row: a section is one if something is said of it."""
    return bool(entry.comment) or not entry.is_section


def _row(entry: Entry) -> str:
    value = "" if entry.is_section else "*needed*" if entry.value == "???" else f"`{entry.value}`"
    allowed = None if entry.is_section else find_range(entry.name)
    rule = f"<br>*{_text(allowed.rule)}*" if allowed and allowed.rule != "a text" else ""
    return f"| `{entry.name}` | {value} | {_text(entry.comment)}{rule} |"


def _chosen(default: Default) -> str:
    return f"`{_options(default)}`"


def _options(default: Default) -> str:
    names = ",".join(default.options)
    return f"[{names}]" if default.is_list else names or "null"


def _anchor(option: str) -> str:
    return option.replace("/", "-")


def _sentence(text: str) -> str:
    text = _text(text)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}" if text else ""


def _text(text: str) -> str:
    """Plain text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_\[\]{}|~$])", r"\\\1", html.escape(text, quote=False))


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines)
