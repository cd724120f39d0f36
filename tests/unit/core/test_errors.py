"""Why something failed, in words."""

import io
import os
import re
from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError

from tandem.core.errors import reason_of, written

PACKAGE = Path(__file__).parents[3] / "src" / "tandem"


def test_a_reason_is_never_nothing() -> None:
    errors = [
        (OSError(2, os.strerror(2), "a"), "No such file or directory"),
        (OSError("no number"), "no number"),
        (OSError(), "OSError"),
        (io.UnsupportedOperation(), "UnsupportedOperation"),
        (ValueError("in\ntwo  lines."), "in two lines"),
        (MemoryError(), "MemoryError"),
        (TypeError(f"got {object()}, not {object}"), "got, not <class 'object'>"),
    ]
    assert [reason_of(error) for error, _ in errors] == [reason for _, reason in errors]


@pytest.mark.parametrize(
    ("value", "words"), [(None, "null"), (True, "true"), (1, "1"), ("a b", "a b"), ([1], "[1]")]
)
def test_a_value_is_said_as_it_is_written(value: object, words: str) -> None:
    assert written(value) == words


def test_a_library_s_reason_has_no_addresses() -> None:
    with pytest.raises(UnidentifiedImageError) as caught:
        Image.open(io.BytesIO(b"x"))
    assert reason_of(caught.value) == "cannot identify image file"


def test_messages_ask_for_the_reason() -> None:
    """``strerror`` is None of errors that do not come from the system."""
    asking = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\{\w+\.strerror\}", path.read_text(encoding="utf-8"))
    ]
    assert not asking
