"""Command lines as people type them, turned into overrides of keys."""

from pathlib import Path

from tandem.config.catalogue import config_groups, view
from tandem.config.overrides import VALUED_FLAGS, has_several_values
from tandem.core.command_line import key_of, override, shell_override
from tandem.core.errors import InputError, nearest

FIRST_KEYS = {
    "evaluate": "run",
    "generate": "run",
    "score": "run",
    "export": "run",
}
"""What a word without a key is most likely meant for."""

FOLDERS = {"report": "folders", "serve": "run"}
"""Commands whose folders stand as they are, and the keys that have them."""

REPORT_FLAGS = {"--open": "open=true", "--watch": "watch=true"}
"""Flags of a report, and what they set."""


def check_keys(command: str, arguments: list[str]) -> None:
    """Refuse a word that has no key, where none may stand alone.

    :raises InputError: which says what to write for it.
    """
    if command in (*FOLDERS, "sweep"):
        return
    for place, argument in enumerate(arguments):
        of_a_flag = place > 0 and arguments[place - 1] in VALUED_FLAGS
        deletes = argument.startswith("~") and not argument.startswith("~/")
        if "=" in argument or argument.startswith("-") or deletes or of_a_flag:
            continue
        flag = arguments[place - 1].removeprefix("--") if place else ""
        if flag in view(command).entries:
            remedy = f"write {shell_override(flag, argument)} without --"
        elif command in FIRST_KEYS:
            remedy = f"write {shell_override(FIRST_KEYS[command], argument)}"
        else:
            groups = [name for name, options in config_groups().items() if argument in options]
            words = [f"{group}={argument}" for group in groups] or ["KEY=VALUE"]
            remedy = f"write {' or '.join(words)}"
        raise InputError(
            f"The word {argument} has no key; {remedy}, or see tandem {command} --help."
        )


def as_overrides(arguments: list[str], command: str = "report") -> list[str]:
    """Let folders stand as they are, and flags of a report for what they set.

    :param command: one of ``FOLDERS``.
    """
    overrides, folders = [], []
    for argument in arguments:
        if argument in REPORT_FLAGS:
            overrides.append(REPORT_FLAGS[argument])
        elif argument.startswith("-") or ("=" in argument and not Path(argument).is_dir()):
            overrides.append(argument)
        else:
            folders.append(argument)
    return [*overrides, override(FOLDERS[command], folders)] if folders else overrides


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Arguments of ``tandem sweep``, and those that go to every training."""
    keys = view("sweep").entries
    own: list[str] = []
    overrides: list[str] = []
    for place, argument in enumerate(arguments):
        is_flag, has_key = argument.startswith("-"), "=" in argument
        if place == 0 and not is_flag and (not has_key or Path(argument).is_file()):
            own.append(override("file", argument))
        elif is_flag or key_of(argument) in keys:
            own.append(argument)
        else:
            overrides.append(argument)
    return own, overrides


def check_for_trainings(overrides: list[str]) -> None:
    """Refuse a key of a sweep's trainings whose first name does not exist, or several values.

    :raises InputError: for the first one.
    """
    known = view("train")
    names = {name.partition(".")[0] for name in (*known.entries, *known.groups)}
    for argument in overrides:
        if has_several_values(argument):
            key, _, text = argument.partition("=")
            raise InputError(
                f"{argument} has several values, which a sweep takes from `parameters` of its "
                f"study; add them there, or write {shell_override(key, text)} if it is one text."
            )
        name = key_of(argument).partition(".")[0]
        if name not in names and not argument.startswith("+"):
            sweeps = view("sweep").entries
            raise InputError(
                f"The key {name} is neither one of the sweep ({', '.join(sweeps)}) nor one of its "
                f"trainings{nearest(name, [*sweeps, *names])}; see tandem sweep --help and tandem "
                "train --help."
            )
