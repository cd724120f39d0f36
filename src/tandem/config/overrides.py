"""What single arguments of a command line say, by Hydra's own grammar."""

from collections.abc import Iterable, Sequence
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException
from omegaconf import OmegaConf

from tandem.config.kinds import in_home
from tandem.config.ranges import find_range
from tandem.core.command_line import key_of, override

CONFIG_FLAGS = ("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp")
"""Flags of Hydra that say where a config comes from, each with a word behind it."""
VALUED_FLAGS = (
    *CONFIG_FLAGS,
    *("--cfg", "-c", "--experimental-rerun", "--info", "-i", "--package", "-p"),
)
"""All flags of Hydra behind which a word stands."""
NAMED_BY_USERS = ("optimizer.groups",)
"""Mappings whose names are the user's own, which an experiment may set, too."""


def task_overrides() -> list[str]:
    """The overrides of the command line that Hydra runs, as they were written."""
    written: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    return [str(item) for item in written if item]


def on_command_line(key: str, *others: str) -> bool:
    """Whether an override sets a key or something below it, or just one of others; without Hydra
    every key counts.
    """
    if not HydraConfig.initialized():
        return True
    names = [key_of(item) for item in task_overrides()]
    return any(name in (key, *others) or name.startswith(f"{key}.") for name in names)


def config_flags(arguments: Sequence[str]) -> list[str]:
    """Of the arguments those flags that say where the config comes from, with their words."""
    flags: list[str] = []
    for place, argument in enumerate(arguments):
        if argument in CONFIG_FLAGS:
            flags += arguments[place : place + 2]
        elif argument.partition("=")[0] in CONFIG_FLAGS:
            flags.append(argument)
    return flags


def has_several_values(argument: str) -> bool:
    """Whether Hydra would run a training for each of several values."""
    parsed = _parsed(argument)
    return parsed is not None and parsed.is_sweep_override()


def flags_with_home(arguments: Sequence[str]) -> list[str]:
    """The arguments, with the user's own folder for ``~`` in flags, which shells leave there."""
    words = []
    for argument in arguments:
        flag, equals, path = argument.partition("=")
        words.append(f"{flag}={in_home(path)}" if equals and flag in CONFIG_FLAGS else argument)
    return words


def of_study(key: str, text: str) -> str:
    """The argument of a study's value: as it stands, as W&B's agent passes it on.

    What Hydra would refuse, run as several trainings or read as another text gets quotes.
    """
    argument = f"{key}={text}"
    parsed = _parsed(argument)
    if parsed is None or parsed.is_sweep_override():
        return override(key, text)
    value = parsed.value()
    is_changed = isinstance(value, str) and "${" not in text and value != text
    is_quoted = isinstance(parsed._value, QuotedString)
    return override(key, text) if is_changed and not is_quoted else argument


def texts_as_written(arguments: Iterable[str]) -> list[str]:
    """The arguments, with quotes around numbers and flags that stand for a text, and ``~/``.

    So ``run.name=1.10`` names a run 1.10, not 1.1.
    """
    return [_text_as_written(argument) for argument in arguments]


def whole_mappings(arguments: Iterable[str]) -> list[str]:
    """The arguments, with a mapping in place of the option's own where its names are the user's.

    Hydra would merge the two, and refuse a name that the option's own lacks.
    """
    words = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        is_whole = key in NAMED_BY_USERS and value.startswith("{")
        words += [f"{key}=null", f"++{argument}"] if is_whole else [argument]
    return words


def _text_as_written(argument: str) -> str:
    sign, (key, equals, text) = _sign(argument), argument.partition("=")
    allowed = find_range(key.removeprefix(sign)) if equals and sign != "~" else None
    if allowed is None or allowed.choices:
        return argument
    if not any(allowed.allows(allowed.meant(value)) for value in (text, [text])):
        return argument
    parsed = _parsed(argument)
    if parsed is None and allowed.is_path and text.startswith("~"):  # which Hydra's grammar lacks
        return override(key, text)
    if parsed is None or parsed.is_sweep_override():
        return argument
    value: Any = parsed.value()
    is_meant = not isinstance(value, int | float) or allowed.allows(value)
    return argument if is_meant else override(key, text)


def _sign(argument: str) -> str:
    return argument[: len(argument) - len(argument.lstrip("+~"))]


def _parsed(argument: str) -> Override | None:
    """What Hydra reads; None if it cannot."""
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException:
        return None
