"""Every example of a part of one's own in docs/guides/extending.md runs as it is written there."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documents import read

SECTIONS = dict(
    re.findall(
        r"^### (An? .*?)\n(.*?)(?=^##)", read("docs/guides/extending.md"), re.MULTILINE | re.DOTALL
    )
)
SHORT = (
    "hidden_size=8",
    "batching.max_sentences=8",
    "trainer=cpu",
    "trainer.max_epochs=1",
    "trainer.log_every_n_steps=1",
    "logger=csv",
)
"""What makes a training of the document short, behind its own choices."""
SHORT_REVERSAL = ("dataset.size=40", "dataset.max_length=4", "dataset.symbols=5")


def test_the_examples_are_found() -> None:
    assert list(SECTIONS) == [
        "An encoder",
        "An attention",
        "A search",
        "A scorer and a rule",
        "A metric",
        "A modality",
    ]


@pytest.mark.parametrize("title", SECTIONS)
def test_example(
    title: str,
    run_line: Callable[..., Any],
    write_examples: Callable[[str, Path], list[Path]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path in write_examples(SECTIONS[title], tmp_path):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    shell = re.findall(r"^```sh\n(.*?)^```", SECTIONS[title], re.MULTILINE | re.DOTALL)
    lines = "".join(shell).splitlines()
    names = [re.search(r"pytest|python |tandem \w+|echo", line)[0] for line in lines]
    assert {"pytest", "tandem train", "tandem generate"} <= set(names)
    for line in lines:
        capsys.readouterr()
        short = SHORT + SHORT_REVERSAL * ("dataset=reverse" in line)
        result = run_line(line, {"train": short})
        if "tandem train" in line:
            assert result["test/loss"] > 0
        if "tandem generate" in line:
            assert len(capsys.readouterr().out.splitlines()) == 1
