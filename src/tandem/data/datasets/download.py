"""Public files, fetched once into the cache."""

import json
import logging
import os
import shutil
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from tandem.core.errors import InputError, reason_of
from tandem.core.files import unused_name, write_text
from tandem.data.fingerprints import file_fingerprint

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 60


def download(url: str, path: Path) -> Path:
    """Fetch a file unless it is there as it came; one that was put there by hand is taken."""
    if path.is_file() and _is_as_it_came(path):
        return path
    logger.info("Downloading %s to %s", url, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.rmtree(path)
        part = unused_name(path)
        part.touch(exist_ok=False)
    except OSError as error:
        raise InputError(
            f"The cache folder {path.parent} cannot be written ({reason_of(error)}); set the "
            "environment variable TANDEM_CACHE to another folder."
        ) from error
    try:
        with part.open("wb") as file:
            _fetch(url, file)
        os.replace(part, path)
        write_text(_record(path), json.dumps(file_fingerprint(path)))
    except (OSError, ValueError, HTTPException) as error:
        raise InputError(
            f"The download of {url} failed ({_reason(error)}); check the network, or get the set "
            "by hand and set dataset.data_dir to its folder."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _record(path: Path) -> Path:
    """Where it stands what a file was like when it came."""
    return path.with_name(f"{path.name}.fingerprint")


def _is_as_it_came(path: Path) -> bool:
    try:
        if json.loads(_record(path).read_bytes()) == file_fingerprint(path):
            return True
    except FileNotFoundError:
        return True
    except (OSError, ValueError, InputError):
        pass  # one of the two is damaged
    logger.warning("The downloaded file %s is damaged; fetching it again", path)
    return False


def _fetch(url: str, file: BinaryIO) -> None:
    """Copy what the URL holds and check its length."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
        shutil.copyfileobj(answer, file)
        expected = answer.headers.get("Content-Length")
    if expected is not None and file.tell() != int(expected):
        raise OSError(f"{file.tell()} of {expected} bytes came")


def _reason(error: Exception) -> str:
    """Return what went wrong in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return reason_of(error)
