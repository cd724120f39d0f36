"""Folders of small files, and the folder of real sets where there is one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes ``{name: content}`` files and returns their folder."""

    def _write(**files: str | bytes) -> Path:
        for name, content in files.items():
            raw = content.encode() if isinstance(content, str) else content
            (tmp_path / name.replace("__", ".")).write_bytes(raw)
        return tmp_path

    return _write


@pytest.fixture
def real_sets() -> Path:
    """Return the folder that TANDEM_DATA names, or skip the test."""
    folder = Path(os.environ.get("TANDEM_DATA") or "nowhere")
    if not folder.is_dir():
        pytest.skip("TANDEM_DATA names no folder of sets")
    return folder
