"""Peak memory and speed of ``tandem generate`` and ``tandem score`` on few lines and on many.

    python benchmarks/generate_memory.py --run outputs/mine --lines 20000 200000

Writes lines of random words that the run's model knows, and calls each command on them in a process
of its own, from file to file. Of what it takes to start, the time is not counted: that of one line.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tandem.inference import load_bundle

TANDEM = [sys.executable, "-c", "from tandem.commands.cli import main; main()"]
LONGEST = 9
"""Words of a line, at most."""


def main() -> None:
    """Measure each number of lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="folder of a run that reads texts")
    parser.add_argument("--lines", type=int, nargs="+", required=True)
    options = parser.parse_args()
    tokenizer, *_ = load_bundle(options.run).processors.source.tokenizers
    words = [symbol for symbol in tokenizer.symbols if symbol == symbol.strip()]
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for command in ("generate", "score"):
            starts = [measure(command, options.run, folder, words, count=1) for _ in range(2)]
            start = min(seconds for seconds, _ in starts)
            for count in options.lines:
                seconds, peak = measure(command, options.run, folder, words, count=count)
                print(
                    f"{command}: {count:,} lines: peak {peak:,.0f} MB, "
                    f"{count / max(seconds - start, 0.001):,.0f} lines/s",
                    flush=True,
                )


def measure(
    command: str, run: str, folder: Path, words: list[str], *, count: int
) -> tuple[float, float]:
    """Seconds and peak memory in MB of a command on so many lines."""
    rng = np.random.default_rng(0)
    source, output = folder / "source.txt", folder / "output.txt"
    with source.open("w") as file:
        for length in rng.integers(1, LONGEST + 1, count):
            file.write(" ".join(rng.choice(words, length)) + "\n")
    output.unlink(missing_ok=True)
    inputs = {
        "generate": [f"input={source}"],
        "score": [f"source={source}", f"target={source}"],
    }[command]
    began = time.monotonic()
    process = subprocess.Popen([*TANDEM, command, f"run={run}", *inputs, f"output={output}"])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    assert sum(1 for _ in output.open()) == count
    return time.monotonic() - began, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
