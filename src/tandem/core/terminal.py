"""Text of unknown origin on a terminal."""

import re
from typing import TextIO

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What moves the cursor, sets colours or titles, or types answers; tab and line feed stay."""


def visible(text: str) -> str:
    r"""The same text with control characters (C0, C1, DEL) written out, such as ``\x1b``."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def for_stream(text: str, stream: TextIO) -> str:
    """The text as a stream gets it: a terminal the visible one, a file or pipe the text itself."""
    return visible(text) if stream.isatty() else text
