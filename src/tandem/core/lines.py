r"""Texts on lines of their own: whatever a text holds, one line of a file is one text.

A character that ends a line for ``wc``, for ``str.splitlines`` or for Tandem's own reader is
written as its code, such as ``\x0a`` for a line feed. A backslash stays as it is, so that
``\frac`` is ``\frac``; only before what would be read as such a code it is written ``\x5c``.
:func:`text_of` turns every line back into its text.
"""

import json
import re
from typing import Any

_ENDS = "\0\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""What ends lines, and the byte 0, which no file of text has."""


def _code(character: str) -> str:
    number = ord(character)
    return f"x{number:02x}" if number < 256 else f"u{number:04x}"


_CHARACTERS = {_code(character): character for character in (*_ENDS, "\\")}
_CODES = {character: f"\\{code}" for code, character in _CHARACTERS.items()}
_WRITTEN = re.compile(rf"\\({'|'.join(_CHARACTERS)})")
_TO_WRITE = re.compile(rf"[{_ENDS}]|\\(?={'|'.join(_CHARACTERS)})")
_JSON_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""Those that JSON itself leaves as they are."""


def one_line(text: str) -> str:
    """The text without anything that ends a line, see above."""
    return _TO_WRITE.sub(lambda match: _CODES[match[0]], text)


def text_of(line: str) -> str:
    """The text that :func:`one_line` was given."""
    return _WRITTEN.sub(lambda match: _CHARACTERS[match[1]], line)


def json_line(value: Any) -> str:
    """JSON on one line, which nothing in its texts ends."""
    return json.dumps(value, ensure_ascii=False).translate(_JSON_ENDS)


def utf8(text: str) -> bytes:
    r"""UTF-8; halves of surrogate pairs, which it does not have, are written as ``\udc80``.

    Names of files that are no UTF-8 hold such halves. JSON reads them back from this.
    """
    return text.encode("utf-8", "backslashreplace")
