"""What ``conf/`` says of each group, option and key: read from its files and their comments.

Neither Hydra nor an option's code is loaded, so that help and completion answer at once. What a
command line chooses is followed as Hydra does it, as far as that decides which keys there are.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import yaml

from tandem.config.folders import config_folder, own_config_folder
from tandem.core.command_line import key_of
from tandem.core.errors import InputError, nearest, reason_of
from tandem.data.text_files import read_text

GLOBAL = "# @package _global_"
"""The line of a preset, whose keys stand from the root of the config."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NOT_OURS = ("defaults", "hydra")
"""Keys at a file's root that are not of the experiment."""


@dataclass(frozen=True)
class Entry:
    """A key of a config."""

    name: str
    """From the root: ``encoder.num_layers``."""
    value: str
    """As it is written; ``...`` for a section, which has keys below it."""
    comment: str
    """What it means, or nothing."""
    like: str = ""
    """The key whose value it has as it stands, and whose meaning if it has no comment."""

    @property
    def is_section(self) -> bool:
        """Whether there are keys below it."""
        return self.value == "..."


@dataclass(frozen=True)
class Default:
    """What a file's defaults list says of one group."""

    name: str
    """Of the group, with ``@`` and a package where that is another one."""
    options: tuple[str, ...]
    """Those that are chosen; none for null."""
    is_list: bool
    """Whether it takes several."""
    comment: str
    """What the group is for."""

    @property
    def group(self) -> str:
        """The folder of its options."""
        return self.name.partition("@")[0]

    @property
    def package(self) -> str:
        """Where the keys of the chosen option stand."""
        return self.name.partition("@")[2] or self.group


@dataclass(frozen=True)
class ConfigFile:
    """One file of ``conf/``."""

    summary: tuple[str, ...]
    """The lines of the comment at its top."""
    target: str | None
    """What the option makes, if it makes one thing."""
    is_global: bool
    """Whether its keys stand from the root of the config."""
    includes: tuple[Default, ...]
    """Options that it begins with."""
    overrides: tuple[Default, ...]
    """Options that it chooses in other groups."""
    entries: dict[str, Entry]
    """Its own keys, relative to where it stands."""

    @property
    def title(self) -> str:
        """The line that says what it is; an experiment's stands behind its commands."""
        return next((line for line in self.summary if not line.startswith("tandem ")), "")


@dataclass
class View:
    """The keys of a command with what its command line chooses."""

    command: str
    groups: dict[str, Default] = field(default_factory=dict)
    """All groups by their names, with the chosen options."""
    entries: dict[str, Entry] = field(default_factory=dict)
    """All keys by their names, each with the comment that it has or inherits."""

    def under(self, name: str) -> list[Entry]:
        """A key and those below it."""
        prefix = f"{name}."
        return [one for one in self.entries.values() if f"{one.name}.".startswith(prefix)]

    def of_command(self) -> list[Entry]:
        """The keys of the command's own file, which it has with every option."""
        packages = {one.package for one in self.groups.values()}
        own = _read(config_folder() / f"{self.command}.yaml").entries
        return [self.entries[name] for name in own if name not in packages]

    def of_option(self, default: Default, option: str) -> list[Entry]:
        """The keys that an option gives, as they stand with all that is chosen.

        :param default: its group; the option must be chosen in it.
        """
        file = read_option(default.group, option)
        if file.is_global:
            return [self.entries[name] for name in file.entries]
        return self.under(default.package)


def option_names(group: str) -> list[str]:
    """The options of a group, the user's own among them."""
    names = {
        path.relative_to(folder / group).with_suffix("").as_posix()
        for folder in _folders()
        for path in (folder / group).rglob("*.yaml")
    }
    return sorted(names)


def config_groups() -> dict[str, list[str]]:
    """Every group with its options."""
    groups = {path.name for folder in _folders() for path in folder.iterdir() if path.is_dir()}
    return {group: option_names(group) for group in sorted(groups) if option_names(group)}


def complete_options(group: str) -> list[str]:
    """A group's options that need no value of the user's, such as a checkpoint."""
    return [
        name
        for name in option_names(group)
        if all(entry.value != "???" for entry in read_option(group, name).entries.values())
    ]


def read_option(group: str, option: str) -> ConfigFile:
    """The file of an option.

    :raises InputError: if there is none.
    """
    for folder in reversed(_folders()):
        path = folder / group / f"{option}.yaml"
        if path.is_file():
            return _read(path)
    known = option_names(group)
    raise InputError(
        f"{group}={option} is not an option{nearest(option, known)}; the options are "
        f"{', '.join(known)}."
    )


def view(command: str, overrides: Sequence[str] = ()) -> View:
    """The groups and keys that a command has.

    :param overrides: of the command line; those of unknown groups, and values, are left alone.
    :raises InputError: if an option that is chosen does not exist.
    """
    root = _read(config_folder() / f"{command}.yaml")
    made = View(command, {one.name: one for one in root.includes}, dict(root.entries))
    chosen: dict[str, tuple[str, ...]] = {}
    for override in overrides:
        name, (_, equals, value) = key_of(override), override.partition("=")
        if equals:
            chosen[name] = _listed(value)
    presets = [name for name in made.groups if _has_presets(made.groups[name].group)]
    for name in reversed(presets):  # what the last one chooses counts
        _choose(made, name, chosen)
    for name in [*(name for name in made.groups if name not in presets), *presets]:
        _include(made, made.groups[name], chosen)
    made.entries = {
        name: replace(entry, comment=_meaning(entry, made.entries))
        for name, entry in made.entries.items()
    }
    return made


def _choose(made: View, name: str, chosen: dict[str, tuple[str, ...]]) -> None:
    """Note what a preset chooses in other groups, unless something else has."""
    for option in chosen.get(name, made.groups[name].options):
        for one in _overrides(made.groups[name].group, option):
            if one.name in made.groups and one.name not in chosen:
                chosen[one.name] = one.options


def _overrides(group: str, option: str) -> list[Default]:
    """What a preset chooses in other groups, and then what the ones it begins with choose."""
    file = read_option(group, option)
    inner = [name for one in file.includes if not one.name for name in one.options]
    return [*file.overrides, *(one for name in inner for one in _overrides(group, name))]


def _has_presets(group: str) -> bool:
    return any(read_option(group, option).is_global for option in option_names(group)[:1])


def _include(made: View, default: Default, chosen: dict[str, tuple[str, ...]]) -> None:
    """Add the keys of a group's options, and before them those of what an option begins with."""
    default = replace(default, options=chosen.get(default.name, default.options))
    made.groups[default.name] = default
    for option in default.options:
        _add(made, default, option, chosen)


def _add(made: View, default: Default, option: str, chosen: dict[str, tuple[str, ...]]) -> None:
    file = read_option(default.group, option)
    for one in file.includes:
        if one.name:  # of another group, whose keys stand below this one's
            inside = f"{one.group.removeprefix('/')}@{default.package}.{one.package}"
            _include(made, replace(one, name=inside), chosen)
        else:
            for name in one.options:
                _add(made, default, name, chosen)
    prefix = "" if file.is_global else f"{default.package}."
    for entry in file.entries.values():
        name = f"{prefix}{entry.name}"
        before = made.entries.get(name, entry)
        comment, like = entry.comment or before.comment, entry.like or before.like
        made.entries[name] = Entry(name, entry.value, comment, like)


def _meaning(entry: Entry, entries: dict[str, Entry]) -> str:
    """The comment of a key, or of the one that it is like."""
    seen: set[str] = set()
    while not entry.comment and entry.like in entries and entry.like not in seen:
        seen.add(entry.like)
        entry = entries[entry.like]
    return entry.comment


def _listed(value: str) -> tuple[str, ...]:
    """The options that a value on the command line names."""
    names = value.strip("[]").split(",")
    return tuple(name.strip() for name in names if name.strip() not in ("", "null"))


def _folders() -> list[Path]:
    own = own_config_folder()
    return [config_folder(), *([own] if own else [])]


@cache
def _read(path: Path) -> ConfigFile:
    """Read a file without resolving anything."""
    text = read_text(path)
    try:
        root = yaml.compose(text, LOADER)
    except yaml.YAMLError as error:
        reason = reason_of(error)
        raise InputError(f"The file {path} is not YAML ({reason}); correct it.") from error
    lines = text.splitlines()
    header = next((row for row, line in enumerate(lines) if not line.startswith("#")), len(lines))
    summary = [line[1:].strip() for line in lines[:header] if line.rstrip() != GLOBAL]
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise InputError(f"The file {path} must hold keys with values; correct it.")
    pairs = root.value if root is not None else []
    nodes = {key.value: value for key, value in pairs}
    defaults = list(_defaults(nodes["defaults"], lines)) if "defaults" in nodes else []
    targets = [value.value for key, value in pairs if key.value == "_target_"]
    return ConfigFile(
        summary=tuple(summary),
        target=targets[0] if targets else None,
        is_global=GLOBAL in (line.rstrip() for line in lines[:header]),
        includes=tuple(one for is_override, one in defaults if not is_override),
        overrides=tuple(one for is_override, one in defaults if is_override),
        entries={entry.name: entry for entry in _entries(pairs, "", lines, header)},
    )


def _defaults(node: yaml.Node, lines: list[str]) -> Iterator[tuple[bool, Default]]:
    """The items of a defaults list, and whether each overrides another file's choice."""
    for item in node.value:
        if isinstance(item, yaml.ScalarNode):  # an option of the same group
            if item.value != "_self_":
                yield False, Default("", (item.value,), False, _behind(item, lines))
            continue
        ((key, value),) = item.value
        is_override = key.value.startswith("override ")
        name = key.value.removeprefix("override ")
        if name.startswith("hydra/"):
            continue
        name = name.removeprefix("/") if is_override else name
        is_list = isinstance(value, yaml.SequenceNode)
        options = [one.value for one in value.value] if is_list else [value.value]
        chosen = tuple(option for option in options if option not in ("null", "~", ""))
        yield is_override, Default(name, chosen, is_list, _behind(value, lines))


def _entries(
    pairs: list[tuple[yaml.Node, yaml.Node]], prefix: str, lines: list[str], header: int
) -> Iterator[Entry]:
    """The keys of a mapping and of those in it."""
    for key, value in pairs:
        if (not prefix and key.value in NOT_OURS) or key.value in ("_target_", "_partial_"):
            continue
        name = f"{prefix}{key.value}"
        is_block = not getattr(value, "flow_style", True) and bool(value.value)
        comment = _comment(lines[key.end_mark.line]) if is_block else _behind(value, lines)
        comment = comment or _above(key, lines, header)
        if isinstance(value, yaml.MappingNode) and is_block:
            yield Entry(name, "...", comment)
            yield from _entries(value.value, f"{name}.", lines, header)
        elif isinstance(value, yaml.SequenceNode) and is_block:
            yield Entry(name, f"[{','.join(item.value for item in value.value)}]", comment)
        else:
            written = _written(value, lines)
            pointed = re.fullmatch(r"\$\{([\w.]+)\}", written)
            yield Entry(name, written, comment, pointed[1] if pointed else "")


def _written(node: yaml.Node, lines: list[str]) -> str:
    """A scalar or a flow collection, which stand on one line."""
    return lines[node.start_mark.line][node.start_mark.column : node.end_mark.column]


def _behind(node: yaml.Node, lines: list[str]) -> str:
    """The comment behind a value on its line."""
    return _comment(lines[node.end_mark.line][node.end_mark.column :])


def _comment(text: str) -> str:
    """What stands behind the first # of a text that has no quotes before it."""
    found = re.search(r"(?:^|\s)#\s*(.*)", text)
    return found[1].strip() if found else ""


def _above(key: yaml.Node, lines: list[str], header: int) -> str:
    """The comment on lines of its own right above a key, which is not the file's."""
    row = key.start_mark.line
    start = row
    mark = " " * key.start_mark.column + "#"
    while start > header and lines[start - 1].startswith(mark):
        start -= 1
    return " ".join(line.strip().lstrip("#").strip() for line in lines[start:row])
