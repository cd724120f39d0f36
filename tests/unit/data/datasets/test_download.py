"""Downloads: whole or not at all."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.data.cache import cache_folder
from tandem.data.datasets.download import download


class Handler(http.server.BaseHTTPRequestHandler):
    """Promises ten bytes; sends ten, or three and hangs up."""

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"0123456789" if self.path == "/whole" else b"012")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """Serve on a free local port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_whole_file_arrives_once(server: str, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    assert download(f"{server}/whole", path).read_bytes() == b"0123456789"
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["file", "file.fingerprint"]
    assert download("http://nowhere.invalid/", path) == path  # there, so not fetched


@pytest.mark.parametrize(
    ("damaged", "content"),
    [
        ("file", b""),
        ("file", b"012345678"),
        ("file", b"1123456789"),
        ("file", None),
        ("file.fingerprint", b""),
    ],
)
def test_what_is_damaged_is_fetched_again(
    server: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damaged: str,
    content: bytes | None,
) -> None:
    path = download(f"{server}/whole", tmp_path / "file")
    (tmp_path / damaged).unlink()
    if content is None:
        (tmp_path / damaged).mkdir()
    else:
        (tmp_path / damaged).write_bytes(content)
    assert download(f"{server}/whole", path).read_bytes() == b"0123456789"
    assert (f"The downloaded file {path} is damaged" in caplog.text) == (content is not None)
    caplog.clear()
    assert download("http://nowhere.invalid/", path) == path


def test_local_url(tmp_path: Path) -> None:
    (tmp_path / "origin").write_bytes(b"x")
    got = download((tmp_path / "origin").as_uri(), tmp_path / "copy")
    assert got.read_bytes() == b"x"


def test_half_a_file_leaves_nothing(server: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        download(f"{server}/half", tmp_path / "file")
    assert str(caught.value) == (
        f"The download of {server}/half failed (3 of 10 bytes came); check the network, or get "
        "the set by hand and set dataset.data_dir to its folder."
    )
    assert not list(tmp_path.iterdir())


def test_interruption_leaves_nothing(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(answer: object, file: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.copyfileobj", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download(f"{server}/whole", tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_missing_page(server: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"/missing failed \(status 404\); check the network"):
        download(f"{server}/missing", tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_no_network(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The download of http://127\.0\.0\.1:9/x failed \("):
        download("http://127.0.0.1:9/x", tmp_path / "file")


def test_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError) as caught:
        download("http://127.0.0.1:9/x", tmp_path / "file" / "x")
    assert str(caught.value) == (
        f"The cache folder {tmp_path / 'file'} cannot be written (File exists); set the "
        "environment variable TANDEM_CACHE to another folder."
    )


def test_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_CACHE", "/some/where")
    assert cache_folder() == Path("/some/where")
    monkeypatch.delenv("TANDEM_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "tandem"
