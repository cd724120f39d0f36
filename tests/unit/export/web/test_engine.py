"""What comes from npm: known by its digest, kept, and never run."""

import base64
import hashlib
import io
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

from tandem.core.errors import InputError
from tandem.export.web.engine import ONNXRUNTIME_WEB, Package, archive_of, as_global

ARCHIVE = b"an archive"
PACKAGE = Package(
    "some-package",
    "1.2.3",
    size=len(ARCHIVE),
    integrity=base64.b64encode(hashlib.sha512(ARCHIVE).digest()).decode(),
)
URL = "https://registry.npmjs.org/some-package/-/some-package-1.2.3.tgz"


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path))
    return tmp_path / "npm" / "some-package-1.2.3.tgz"


def answer(monkeypatch: pytest.MonkeyPatch, content: bytes | Exception) -> list[str]:
    """Put something in the place of the network; return the list of what is asked for."""
    asked: list[str] = []

    def urlopen(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        if isinstance(content, Exception):
            raise content
        return io.BytesIO(content)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


def test_it_is_fetched_once(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    asked = answer(monkeypatch, ARCHIVE)
    assert archive_of(PACKAGE) == archive_of(PACKAGE) == ARCHIVE == path.read_bytes()
    assert asked == [URL]


def test_a_damaged_copy_is_fetched_again(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    answer(monkeypatch, ARCHIVE)
    path.parent.mkdir()
    path.write_bytes(b"an archivf")
    assert archive_of(PACKAGE) == ARCHIVE == path.read_bytes()


def test_what_was_put_there_by_hand_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    answer(monkeypatch, URLError("no route"))
    with pytest.raises(InputError) as caught:
        archive_of(PACKAGE)
    assert str(caught.value) == (
        "some-package could not be fetched (<urlopen error no route>); check the network, or get "
        f"{URL} by hand and save it as {path}."
    )
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(ARCHIVE)
    assert archive_of(PACKAGE) == ARCHIVE


@pytest.mark.parametrize("content", [b"an archivf", ARCHIVE + b" and more"])
def test_another_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, path: Path, content: bytes
) -> None:
    answer(monkeypatch, content)
    with pytest.raises(InputError, match=r"is not some-package 1\.2\.3, as its SHA-512 differs"):
        archive_of(PACKAGE)
    assert not path.exists()


def test_the_pin_is_whole() -> None:
    assert ONNXRUNTIME_WEB.url.startswith("https://registry.npmjs.org/onnxruntime-web/-/")
    assert len(base64.b64decode(ONNXRUNTIME_WEB.integrity, validate=True)) == 64


def test_a_module_becomes_a_global() -> None:
    module = "var a=1,b=2;export{a as Tensor,b};\n//# sourceMappingURL=x.map\n"
    assert as_global(module) == "var a=1,b=2;globalThis.ort={Tensor:a,b:b};\n"


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    answer(monkeypatch, ARCHIVE)
    path.parent.write_text("no folder")
    assert archive_of(PACKAGE) == ARCHIVE
