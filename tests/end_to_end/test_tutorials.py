"""The tutorials, typed from start to end: their scripts, commands and scores, with tiny sizes."""

import csv
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documents import DOCUMENTS, blocks, read

TUTORIALS = [page for page in DOCUMENTS if page.startswith("docs/tutorials/")]
SCRIPTS = "\n".join(read(page) for page in TUTORIALS)
"""One tutorial may use a script of another."""
ROWS = 60
"""What every script is asked to make, in place of thousands."""
TINY = (
    "hidden_size=8",
    "trainer=cpu",
    "trainer.max_epochs=-1",
    "trainer.max_steps=2",
    "trainer.val_check_interval=1",
    "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1",
    "trainer.log_every_n_steps=1",
    "logger=csv",
    "callbacks.samples.count=1",
    "callbacks.attention_maps.count=1",
)
"""What makes a training short, behind its own choices."""


@pytest.mark.parametrize("page", TUTORIALS)
def test_tutorial(
    page: str,
    run_line: Callable[..., Any],
    write_examples: Callable[[str, Path], list[Path]],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert write_examples(SCRIPTS, tmp_path)
    scores = 0
    for line in "".join(blocks(page, "sh")).splitlines():
        line = re.sub(r"(?<=^python )(make_\w+\.py) \d+$", rf"\1 {ROWS}", line)
        capfd.readouterr()
        if line.startswith("tandem sweep "):
            sweep(line)
            scores += 1
            continue
        no_warm_up = ("scheduler.warmup_steps=0",) * ("experiment=scan/" in line)
        result = run_line(line, {"train": TINY + no_warm_up})
        if line.startswith(("tandem train ", "tandem evaluate ")):
            assert result["test/loss"] > 0
            scores += 1
        if line.startswith("tandem generate "):
            assert capfd.readouterr().out.count("\n") == 1
    assert scores
    for named in set(re.findall(r"`(outputs/[^`*<]+\.(?:png|jsonl|csv|json))`", read(page))):
        assert (tmp_path / named).exists()


def sweep(line: str) -> None:
    """Run a trial of a study in a process of its own, as a sweep forks, which needs no threads."""
    program = "from tandem.commands.cli import main; main()"
    arguments = [*line.split()[1:], *TINY, "trials=1"]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)
    with next(Path("outputs/sweeps").glob("*/trials.csv")).open(newline="") as file:
        assert [row["state"] for row in csv.DictReader(file)] == ["complete"]
