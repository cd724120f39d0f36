"""Standard streams of a process: UTF-8 whatever the locale, closed, full, or a terminal."""

import os
import pty
import subprocess
import sys

import pytest

ASCII = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
PROGRAM = r"""
import os, sys
from tandem.core import streams
streams.set_up()
from tandem.core.printing import say
print("out \xe9 \udcff", [streams.is_closed(getattr(sys, name)) for name in streams.NAMES])
say("error \u65e5 \udcff")
assert os.open("/dev/null", os.O_RDONLY) > 2
streams.flush()
"""


def run(redirect: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a shell, which closes or redirects its streams."""
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {redirect}', sys.executable, PROGRAM],
        env=os.environ | {"PYTHONUNBUFFERED": ""} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


@pytest.mark.parametrize("environment", [ASCII, {}], ids=["ascii", "as it is"])
def test_files_and_pipes_get_utf_8(environment: dict[str, str]) -> None:
    done = run(**environment)
    assert done.stdout.decode() == "out é \\udcff [False, False, False]\n"
    assert done.stderr.decode() == "error 日 \\udcff\n"


@pytest.mark.parametrize(
    ("redirect", "out", "error"),
    [
        ("<&-", "[True, False, False]", "error"),
        (">&-", "", "error"),
        ("2>&-", "[False, False, True]", ""),
        ("<&- 2>&-", "[True, False, True]", ""),
        ("<&- >&- 2>&-", "", ""),
        (">/dev/full", "", "error"),
        ("2>/dev/full", "[False, False, False]", ""),
        (">/dev/null", "", "error"),
    ],
)
def test_streams_that_are_not_there(redirect: str, out: str, error: str) -> None:
    done = run(redirect)
    assert out in done.stdout.decode()
    assert bool(done.stdout) == bool(out)
    assert error in done.stderr.decode()
    assert bool(done.stderr) == bool(error)


def test_a_terminal_shows_codes_of_what_it_cannot_show() -> None:
    terminal, inside = pty.openpty()
    with os.fdopen(inside, "wb") as stream:
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | ASCII,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            check=True,
        )
    shown = os.read(terminal, 4096).decode("ascii")
    os.close(terminal)
    assert shown.startswith(r"out \xe9 \udcff [False, False, False]")
    assert r"error \u65e5 \udcff" in shown
