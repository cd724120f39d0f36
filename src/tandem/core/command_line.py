"""Command lines that are printed or passed on: values as Hydra reads them, words as a shell does.

Hydra's rules are those of https://hydra.cc/docs/1.3/advanced/override_grammar/basic: in quotes
everything stands for itself, but a backslash counts before a quote and before the closing quote.
OmegaConf reads ``${`` as an interpolation even in quotes, unless a backslash stands before it.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_./-]+( [A-Za-z0-9_./-]+)*")
"""Texts that need no quotes, unless they are read as something else than a text."""
KEYWORDS = ("null", "true", "false")
NAME_IN_BRACES = re.compile(r"(?:[A-Za-z0-9_./\-+$%*@?|]|\\[\\()\[\]{}:=, \t])+")
"""A key in a value such as ``{a: 1}``, where Hydra takes backslashes, but no quotes."""


def override(key: str, value: Any) -> str:
    """``key=value`` as an argument, which Hydra reads as this value and no other.

    :param key: as it stands before the equals sign, with ``+`` or ``@package`` if it has them.
    :param value: plain data: a text, a number, a flag, None, or lists and mappings of them.
    """
    return f"{key}={hydra_value(value)}"


def hydra_value(value: Any) -> str:
    """A value as Hydra reads it behind the equals sign.

    :raises ValueError: for a mapping with a key that Hydra's grammar cannot write.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{_name(key)}:{hydra_value(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(hydra_value, value))}]"
    return _text(str(value))


def key_of(argument: str) -> str:
    """The key that an argument sets or deletes, without the signs before it."""
    return argument.lstrip("+~").partition("=")[0]


def shell_line(words: Iterable[str]) -> str:
    """The words as one line, which a shell takes apart into the same words."""
    return shlex.join(words)


def shell_override(key: str, value: Any) -> str:
    """``key=value`` to be pasted into a shell, as messages write it."""
    return shlex.quote(override(key, value))


def as_literal(value: Any) -> Any:
    """Plain data in whose texts OmegaConf does not take ``${`` for an interpolation."""
    if isinstance(value, Mapping):
        return {key: as_literal(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_literal(one) for one in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """A text as it stands, or in quotes where that would be read otherwise.

    They are double ones, as a shell's are single.
    """
    if BARE.fullmatch(text) and text.lower() not in KEYWORDS and not _is_number(text):
        return text
    return '"{}"'.format(re.sub(r'(\\*)("|\Z)', _before_a_quote, as_literal(text)))


def _before_a_quote(match: re.Match[str]) -> str:
    backslashes, quote = match.groups()
    return 2 * backslashes + ('\\"' if quote else "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _name(key: Any) -> str:
    """The name of a key in braces, which stays a text."""
    name = re.sub(r"[\\()\[\]{}:=, \t]", r"\\\g<0>", str(key))
    is_text = isinstance(key, str) and key.lower() not in KEYWORDS and not _is_number(key)
    if (is_text or type(key) in (int, bool)) and NAME_IN_BRACES.fullmatch(name):
        return name
    raise ValueError(f"Hydra has no way of writing the key {name!r} in braces")
