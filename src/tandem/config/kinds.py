"""Kinds of values that a key may have: each says its rule in words, and converts what is meant."""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """A set of values; ``range | other`` has the values of both."""

    rule: str
    """In words: "a whole number of at least 1"."""
    allows: Callable[[Any], bool]
    """Whether a value is among them."""
    convert: Callable[[Any], Any] = lambda value: value
    """The value that is meant by one that is not among them, such as 100 by 1e2."""
    choices: tuple[str, ...] = ()
    """The values as they are written, if they are few."""
    is_path: bool = False
    """Whether its texts name files or folders, in which ``~`` is the user's own."""
    least: float | None = None
    """Its lower end, if it has one, whether or not that is among the values."""
    most: float | None = None
    """Its upper end likewise."""

    def __or__(self, other: "Range") -> "Range":
        def convert(value: Any) -> Any:
            mine = self.convert(value)
            return mine if self.allows(mine) else other.convert(value)

        return Range(
            f"{self.rule} or {other.rule}",
            lambda value: self.allows(value) or other.allows(value),
            convert,
            self.choices + other.choices,
            self.is_path or other.is_path,
        )

    def meant(self, value: Any) -> Any:
        """The value itself, or the one of this range that is meant by it."""
        converted = value if self.allows(value) else self.convert(value)
        return converted if self.allows(converted) else value


def _whole(value: Any) -> Any:
    """Let 1e2 be 100, as YAML makes a float of it."""
    return int(value) if type(value) is float and value.is_integer() else value


def whole(least: int, most: int | None = None) -> Range:
    """Whole numbers from ``least`` to ``most``, also written as 1e2; true is none."""
    rule = f"of at least {least}" if most is None else f"from {least} to {most}"
    highest = math.inf if most is None else most
    return Range(
        f"a whole number {rule}",
        lambda value: type(value) is int and least <= value <= highest,
        _whole,
        least=least,
        most=most,
    )


def number(
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> Range:
    """Finite numbers between two ends, of which ``above`` and ``below`` do not count themselves."""

    def allows(value: Any) -> bool:
        return (
            type(value) in (int, float)
            and math.isfinite(value)
            and (least is None or value >= least)
            and (above is None or value > above)
            and (most is None or value <= most)
            and (below is None or value < below)
        )

    lower = f"of at least {least}" if above is None else f"above {above}"
    upper = f"at most {most}" if below is None else f"below {below}"
    if most is None and below is None:
        rule = f"a finite number {lower}"
    elif least is not None and most is not None:
        rule = f"a number from {least} to {most}"
    else:
        rule = f"a number {lower} and {upper}"
    lowest, highest = (above if least is None else least), (below if most is None else most)
    return Range(rule, allows, least=lowest, most=highest)


def _text(value: Any) -> Any:
    """A number that stands for a text, as in ``run.name=20240101``."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def one_of(*names: str) -> Range:
    """Some texts; a number stands for its digits."""
    return Range(f"one of {', '.join(names)}", lambda value: value in names, _text, choices=names)


def matching(pattern: str, rule: str) -> Range:
    """Texts that a regular expression describes in full."""
    whole_text = re.compile(pattern)
    return Range(
        rule, lambda value: isinstance(value, str) and bool(whole_text.fullmatch(value)), _text
    )


def every(item: Range, *, length: int | None = None, least: int = 1) -> Range:
    """Lists of at least ``least`` values, or of ``length``, each of which ``item`` allows.

    A single text stands for a list of it.
    """

    def allows(value: Any) -> bool:
        if not isinstance(value, list) or not all(map(item.allows, value)):
            return False
        return len(value) >= least if length is None else len(value) == length

    def convert(value: Any) -> Any:
        listed = [value] if isinstance(value, str) else value
        return [item.meant(one) for one in listed] if isinstance(listed, list) else value

    size = "" if length is None else f" of {length}"
    return Range(
        f"a list{size} in which each is {item.rule}", allows, convert, is_path=item.is_path
    )


def in_home(text: str) -> str:
    """A path in which a leading ``~`` or ``~user`` is the folder that it stands for.

    It may follow ``sqlite:///`` or ``file://``.
    """
    scheme, path = re.fullmatch(r"(sqlite:///|file://)?(.*)", text, re.DOTALL).groups("")  # type: ignore[union-attr]
    return scheme + os.path.expanduser(path)


def _path(value: Any) -> Any:
    text = _text(value)
    return in_home(text) if isinstance(text, str) else value


NULL = Range("null", lambda value: value is None)
FLAG = Range("true or false", lambda value: isinstance(value, bool), choices=("true", "false"))
TEXT = Range("a text", lambda value: isinstance(value, str), _text)
NAME = Range(
    "a text that is not empty", lambda value: isinstance(value, str) and bool(value), _text
)
PATH = Range(
    NAME.rule, lambda value: NAME.allows(value) and in_home(value) == value, _path, is_path=True
)
NAMES = every(NAME, least=0)
KEYS = Range("a section with keys of its own", lambda value: isinstance(value, Mapping))
NO_LIMIT = Range("-1 (no limit)", lambda value: type(value) is int and value == -1, _whole)
