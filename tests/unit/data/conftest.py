"""Sources that are files of bytes, for tests that need no pictures or recordings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from datasets import Dataset

from tandem.core.errors import InputError
from tandem.data.features import Features, File, Vectors

FileSplit = Callable[..., Dataset]


@dataclass(frozen=True)
class Bytes(Features):
    """Every two bytes of a file are a vector; version c adds c."""

    scale: int = 1
    versions: int = 1
    media: ClassVar[str] = "series"
    width: ClassVar[int] = 2
    of_copies: ClassVar[tuple[str, ...]] = ("versions",)
    calls: ClassVar[list[tuple[str, int]]] = []

    @property
    def copies(self) -> int:
        return self.versions

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        self.calls.append((place, copy))
        content = file["bytes"] or (Path(file["path"]).read_bytes() if file["path"] else b"")
        if not content or content == b"bad!":
            raise InputError(f"The file {place} is bad.")
        return np.frombuffer(content, np.uint8).reshape(-1, 2) * self.scale + copy


@pytest.fixture
def byte_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Bytes]:
    """Features that remember their calls, and a cache of their own."""
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "cache"))
    Bytes.calls.clear()
    return Bytes


@pytest.fixture
def file_split() -> FileSplit:
    """A split of files with these contents, with the targets a, b, c ..."""
    return lambda *contents: Dataset.from_dict(
        {
            "source": [{"path": None, "bytes": content} for content in contents],
            "target": [chr(ord("a") + place) for place in range(len(contents))],
        }
    )
