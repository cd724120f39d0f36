"""The port, and a server on it until a signal ends it."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.serving.server import listen, url_of

START = "from tandem.commands.cli import main; main()"


def test_a_port_in_use() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert url_of(first) == f"http://127.0.0.1:{port}/"
        with pytest.raises(InputError) as caught:
            listen("127.0.0.1", port)
    assert str(caught.value) == (
        f"The server cannot listen on 127.0.0.1:{port} (Address already in use); choose another "
        "port=..., or port=0 for a free one, or another host=..."
    )


@pytest.mark.parametrize("host", ["203.0.113.5", "no host", "localhost.invalid", "a" * 300])
def test_a_host_that_is_not_this_machine(host: str) -> None:
    with pytest.raises(InputError, match=r"^The server cannot listen on .*; choose another port="):
        listen(host, 0)


def test_a_server_answers_until_a_signal_ends_it(small_bundle: Callable[..., Path]) -> None:
    folder = small_bundle("mine")
    command = [sys.executable, "-c", START, "serve", str(folder), "port=0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        start = r"mine answers at (http://127\.0\.0\.1:\d+/); Ctrl-C ends it"
        url = next(filter(None, (re.search(start, line) for line in process.stderr)))[1]
        request = urllib.request.Request(
            f"{url}generate", b'{"sources": ["a b"]}', {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:
            assert json.load(response)["model"] == "mine"
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    assert rest.splitlines()[-1].endswith("The server has stopped.")
    assert "Traceback" not in rest
