"""Every example of a part of one's own in docs/guides/extending.md runs as it is written there."""

import importlib
import inspect
import re
import runpy
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documents import read

from tandem.commands.evaluate import evaluate
from tandem.commands.generate import generate
from tandem.commands.train import train

Compose = Callable[..., Any]

SECTIONS = dict(
    re.findall(
        r"^### (An? .*?)\n(.*?)(?=^##)", read("docs/guides/extending.md"), re.MULTILINE | re.DOTALL
    )
)
COMMANDS = {"evaluate": evaluate, "generate": generate, "train": train}
SHORT = {
    "train": (
        "hidden_size=8",
        "batching.max_sentences=8",
        "trainer=cpu",
        "trainer.max_epochs=1",
        "trainer.log_every_n_steps=1",
        "logger=csv",
    ),
    "generate": (),
    "evaluate": (),
}
"""What makes a command of the document short, behind its own choices."""
SHORT_REVERSAL = ("dataset.size=40", "dataset.max_length=4", "dataset.symbols=5")


@pytest.fixture
def run_line(
    compose_config: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    """Do in this process what a line of a shell would do in its own."""

    def call(line: str) -> Any:
        program, *arguments = shlex.split(line.removeprefix("PYTHONPATH=. "))
        if program == "echo":
            text, _, path = arguments
            Path(path).write_text(f"{text}\n")
        elif program == "python":
            runpy.run_path(arguments[0])
        elif program == "pytest":
            module = importlib.import_module(Path(arguments[0]).stem)
            tests = [test for name, test in vars(module).items() if name.startswith("test_")]
            assert tests
            for test in tests:
                test(**dict.fromkeys(inspect.signature(test).parameters, tmp_path))
        else:
            name, *overrides = arguments
            assert program == "tandem"
            short = SHORT[name] + SHORT_REVERSAL * ("dataset=reverse" in overrides)
            own = f"hydra.searchpath=[file://{tmp_path / 'conf'}]"
            return COMMANDS[name](compose_config(name, own, *overrides, *short))
        return None

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return call


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
    run_line: Callable[[str], Any],
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
        result = run_line(line)
        if "tandem train" in line:
            assert result["test/loss"] > 0
        if "tandem generate" in line:
            assert len(capsys.readouterr().out.splitlines()) == 1
