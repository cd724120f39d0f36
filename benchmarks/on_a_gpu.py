"""All figures that a GPU is needed for, in one command and in order of importance.

    pip install -e '.[bench]'
    TANDEM_DATA=<folder with multi30k> python benchmarks/on_a_gpu.py --minutes 10
    python benchmarks/on_a_gpu.py --device cpu --small

Each part runs in a process of its own for a limited time. What it has measured stands in
``OUTPUT/figures.md`` as soon as it is known, beside what it is to reach and, where there is one, a
peer in the same run; what a part printed stands in ``OUTPUT/<part>.log``. ``--small`` tries all of
it with tiny models, so that its figures mean nothing.
"""

import argparse
import contextlib
import multiprocessing
import os
import signal
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from gpu_parts import PARTS, Figure, Part, Settings

HEAD = "| part | figure | measured | to reach |\n|---|---|---|---|\n"


@dataclass
class Report:
    """A Markdown table that grows."""

    path: Path

    def begin(self, settings: Settings) -> None:
        """Write the head."""
        small = ", small sizes: the figures mean nothing" if settings.small else ""
        self.path.write_text(f"Measured {time.strftime('%d %B %Y')}{small}\n\n{HEAD}")

    def add(self, part: str, figure: Figure) -> None:
        """Write and print a line."""
        cells = (part, figure.name, figure.value, figure.reach)
        line = f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
        print(line, flush=True)
        with self.path.open("a") as file:
            file.write(f"{line}\n")


def run_part(part: Part, settings: Settings, limit: float, report: Report) -> None:
    """Run a part in a process of its own, and end it with all that it started."""
    ours, its = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("fork")  # what was imported once is there at once
    log = settings.output / f"{part.name}.log"
    child = context.Process(target=in_child, args=(part, settings, its, log))
    start = time.monotonic()
    child.start()
    its.close()
    with contextlib.suppress(EOFError):
        while (rest := start + limit - time.monotonic()) > 0:
            if ours.poll(rest):
                report.add(part.name, ours.recv())
    if child.is_alive() and time.monotonic() >= start + limit:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid or 0, signal.SIGKILL)
        report.add(part.name, Figure("cut off", f"after {limit:.0f} s"))
    child.join()
    if child.exitcode == 1:
        lines = log.read_text(errors="replace").strip().splitlines()
        report.add(part.name, Figure("failed", lines[-1][:200] if lines else "no reason given"))


def in_child(part: Part, settings: Settings, pipe: Connection, log: Path) -> None:
    """Run a part in this process, which leads a group of its own and prints into a file."""
    os.setsid()
    with log.open("w", buffering=1) as file:
        os.dup2(file.fileno(), 1)  # for what it starts
        os.dup2(file.fileno(), 2)
        with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            try:
                part.run(settings, pipe.send)
            except BaseException:
                traceback.print_exc()
                raise SystemExit(1) from None


def main() -> None:
    """Run the parts until the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = [part.name for part in PARTS]
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny models, to try the command")
    parser.add_argument("--minutes", type=float, default=10, help="for all parts together")
    parser.add_argument("--parts", nargs="+", choices=names, default=names, help="in their order")
    parser.add_argument("--output", type=Path, default=Path("gpu_figures"), help="a folder")
    options = parser.parse_args()
    settings = Settings(options.device, options.small, options.output.resolve())
    settings.output.mkdir(parents=True, exist_ok=True)
    report, end = Report(settings.output / "figures.md"), time.monotonic() + 60 * options.minutes
    report.begin(settings)
    for part in PARTS:
        if part.name in options.parts:
            left = end - time.monotonic()
            if left < 10:
                report.add(part.name, Figure("not run", "no time was left"))
            else:
                run_part(part, settings, min(part.seconds, left), report)


if __name__ == "__main__":
    main()
