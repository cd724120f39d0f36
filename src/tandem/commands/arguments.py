"""Command lines as people type them, turned into overrides of keys."""

from pathlib import Path

from tandem.config.catalogue import config_groups, view
from tandem.config.launch import quoted
from tandem.core.errors import InputError, nearest

FIRST_KEYS = {
    "evaluate": "run=",
    "generate": "run=",
    "score": "run=",
}
"""What a word without a key is most likely meant for."""

VALUED_FLAGS = (
    *("--cfg", "-c", "--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp"),
    *("--experimental-rerun", "--info", "-i", "--package", "-p"),
)
"""Flags of Hydra behind which a word stands."""

REPORT_FLAGS = {"--open": "open=true", "--watch": "watch=true"}
"""Flags of a report, and what they set."""


def check_keys(command: str, arguments: list[str]) -> None:
    """Refuse a word that has no key, where none may stand alone.

    :raises InputError: which says what to write for it.
    """
    if command in ("report", "sweep"):
        return
    for place, argument in enumerate(arguments):
        of_a_flag = place > 0 and arguments[place - 1] in VALUED_FLAGS
        if "=" in argument or argument.startswith(("-", "~")) or of_a_flag:
            continue
        if command in FIRST_KEYS:
            remedy = f"write {FIRST_KEYS[command]}{argument}"
        else:
            groups = [name for name, options in config_groups().items() if argument in options]
            words = [f"{group}={argument}" for group in groups] or ["KEY=VALUE"]
            remedy = f"write {' or '.join(words)}"
        raise InputError(
            f"The word {argument} stands without a key; {remedy}, or see tandem {command} --help."
        )


def as_overrides(arguments: list[str]) -> list[str]:
    """Let the folders of a report stand as they are, and flags for what they set."""
    overrides, folders = [], []
    for argument in arguments:
        if argument in REPORT_FLAGS:
            overrides.append(REPORT_FLAGS[argument])
        elif argument.startswith("-") or ("=" in argument and not Path(argument).is_dir()):
            overrides.append(argument)
        else:
            folders.append(quoted(argument))
    return [*overrides, f"folders=[{','.join(folders)}]"] if folders else overrides


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Arguments of ``tandem sweep``, and those that go to every training."""
    keys = view("sweep").entries
    own: list[str] = []
    overrides: list[str] = []
    for place, argument in enumerate(arguments):
        if place == 0 and "=" not in argument and not argument.startswith("-"):
            own.append(f"file={quoted(argument)}")
        elif argument.startswith("-") or argument.partition("=")[0] in keys:
            own.append(argument)
        else:
            overrides.append(argument)
    return own, overrides


def check_for_trainings(overrides: list[str]) -> None:
    """Refuse a key of a sweep's trainings whose first name does not exist.

    :raises InputError: for the first one.
    """
    known = view("train")
    names = {name.partition(".")[0] for name in (*known.entries, *known.groups)}
    for override in overrides:
        name = override.lstrip("+~").partition("=")[0].partition(".")[0]
        if name not in names and not override.startswith("+"):
            sweeps = view("sweep").entries
            raise InputError(
                f"The key {name} is neither one of the sweep ({', '.join(sweeps)}) nor one of its "
                f"trainings{nearest(name, [*sweeps, *names])}; see tandem sweep --help and tandem "
                "train --help."
            )
