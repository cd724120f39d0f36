"""The program of ``docs/guides/export.md``, which decodes without Tandem."""

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from documents import blocks

from tandem.inference import load_bundle
from tandem.search import GreedySearch

LONGEST = 60
"""Lines."""


@pytest.fixture
def program() -> str:
    python = blocks("docs/guides/export.md", "python")
    (code,) = (block for block in python if block.startswith('"""Greedy decoding'))
    return code


def test_the_program_writes_what_the_run_writes(exported, program: str, tmp_path: Path) -> None:
    one = exported("transformer")
    path = tmp_path / "greedy.py"
    path.write_text(program, encoding="utf-8")
    run = load_bundle(one.run)
    run = replace(run, decoding=replace(run.decoding, search=GreedySearch(), scorers=(), rules=()))
    found = subprocess.run(
        [sys.executable, path, one.folder],
        input="".join(f"{source}\n" for source in one.sources),
        capture_output=True,
        text=True,
        check=True,
    )
    expected = run.generate(one.sources)
    assert len({*expected}) > 1
    assert found.stdout.splitlines() == [line for text in expected for line in text.split("\n")]


def test_the_program_is_short_and_needs_little(program: str) -> None:
    assert len(program.splitlines()) <= LONGEST
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {"json", "sys", "pathlib", "numpy", "onnxruntime", "tokenizers"}
