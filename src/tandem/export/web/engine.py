"""What runs ONNX graphs in a browser: one version of onnxruntime-web, known by its digest.

Nothing of it runs here. It is fetched once into Tandem's cache, as the archive that npm gives out.
"""

import base64
import hashlib
import io
import logging
import re
import tarfile
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from tandem.core.errors import InputError, reason_of
from tandem.core.files import write_atomically
from tandem.data.cache import cache_folder

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 60
EXPORTS = re.compile(r"export\s*\{([^{}]*)\};?\s*(?://# sourceMappingURL=\S*\s*)?\Z")
"""How the module ends: the list of what it gives out."""


@dataclass(frozen=True)
class Package:
    """A version of a package of npm.

    :param size: bytes of its archive.
    :param integrity: SHA-512 of its archive in Base64, as npm states it.
    """

    name: str
    version: str
    size: int
    integrity: str

    @property
    def file(self) -> str:
        """What its archive is called."""
        return f"{self.name}-{self.version}.tgz"

    @property
    def url(self) -> str:
        """Where npm has it."""
        return f"https://registry.npmjs.org/{self.name}/-/{self.file}"

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return cache_folder() / "npm" / self.file

    def is_unchanged(self, archive: bytes) -> bool:
        """Whether these bytes are the archive."""
        return base64.b64encode(hashlib.sha512(archive).digest()).decode() == self.integrity


ONNXRUNTIME_WEB = Package(
    name="onnxruntime-web",
    version="1.30.0",
    size=33_106_585,
    integrity=(
        "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
    ),
)
SCRIPT = "package/dist/ort.wasm.bundle.min.mjs"
"""The smallest build that has the WebAssembly's loader inside, and so imports nothing."""
WASM = "package/dist/ort-wasm-simd-threaded.wasm"
"""It runs with one thread, too."""


class Engine(NamedTuple):
    """The two halves of onnxruntime-web."""

    script: str
    """Text of a module that sets the global ``ort``."""
    wasm: bytes


def engine() -> Engine:
    """Take onnxruntime-web out of the cache, where it comes to first if it has to.

    :raises InputError: if it cannot be fetched, or is another file than it should be.
    """
    archive = archive_of(ONNXRUNTIME_WEB)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        script, wasm = (_member(files, name) for name in (SCRIPT, WASM))
    return Engine(as_global(script.decode("utf-8")), wasm)


def as_global(module: str) -> str:
    """A module whose exports become the global ``ort``, so that a page can hold it inline."""
    exports = EXPORTS.search(module)
    assert exports is not None, "the pinned module ends with its exports"
    names = (one.strip().split(" as ") for one in exports[1].split(","))
    properties = ",".join(f"{name[-1]}:{name[0]}" for name in names)
    return f"{module[: exports.start()]}globalThis.ort={{{properties}}};\n"


def archive_of(package: Package) -> bytes:
    """The archive, out of the cache or from the network.

    :raises InputError: see :func:`engine`.
    """
    path = package.path
    try:
        archive = path.read_bytes()
        if package.is_unchanged(archive):
            return archive
        logger.warning("The file %s has another checksum than npm states; fetching it again", path)
    except OSError:
        logger.info("Fetching %s (%d MB) to %s", package.url, package.size // 10**6, path)
    try:
        archive = _fetched(package)
    except (OSError, ValueError, HTTPException) as error:
        raise InputError(
            f"{package.name} could not be fetched ({reason_of(error)}); check the network, or get "
            f"{package.url} by hand and save it as {path}."
        ) from error
    if not package.is_unchanged(archive):
        raise InputError(
            f"What came from {package.url} is not {package.name} {package.version}, as its SHA-512 "
            f"differs; try again on another network, or save the right file as {path}."
        )
    _keep(path, archive)
    return archive


def _fetched(package: Package) -> bytes:
    with urllib.request.urlopen(package.url, timeout=TIMEOUT_SECONDS) as answer:
        content: bytes = answer.read(package.size + 1)
    return content


def _keep(path: Path, archive: bytes) -> None:
    """Put it into the cache, without which work goes on."""
    try:
        write_atomically(path, archive)
    except OSError as error:
        logger.warning("Could not write %s (%s); continuing without the cache", path, error)


def _member(files: tarfile.TarFile, name: str) -> bytes:
    file = files.extractfile(name)
    assert file is not None, "the pinned archive has it"
    return file.read()
