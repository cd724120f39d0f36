"""A trial in a process of its own, forked from one that has imported everything already.

Whoever starts one must have neither threads nor open connections, which a fork does not survive.
"""

import csv
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing import connection
from pathlib import Path

OUTPUT = "output.log"
"""What the process would have printed on a terminal."""
SECONDS_TO_STOP = 30.0
SECONDS_BETWEEN_SIGNS = 5.0
"""How often it is looked whether a process still works."""
LEAST_LOAD = 0.01
"""Of one processor; a process that waits for ever may have threads that look around at times."""
SIGNALLED = 128
"""Exit codes above it say which signal made a process stop."""

_fork = multiprocessing.get_context("fork")


class TrialProcess:
    """Calls a command, with what it prints in ``output.log`` in the run's folder.

    It ends when its parent does, however that happens; Ctrl-C is left to the parent.

    :param command: called with the arguments.
    :param arguments: overrides of the training.
    :param folder: the run's folder.
    """

    def __init__(
        self, command: Callable[[list[str]], None], arguments: list[str], folder: Path
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._output = folder / OUTPUT
        self._begin = self._output.stat().st_size if self._output.exists() else 0
        self._start = self._alive = self._looked = time.monotonic()
        self._written, self._computed = 0, 0.0
        self._process = _fork.Process(target=_call, args=(command, arguments, self._output))
        self._process.start()

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self._start

    @property
    def exit_code(self) -> int | None:
        """What the process ended with; below 0 the number of a signal, None while it runs."""
        return self._process.exitcode

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended the process, at once or after it had saved its state."""
        code = self.exit_code
        return code is not None and (code < 0 or code > SIGNALLED)

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.is_alive()

    def values(self, metric: str) -> list[float]:
        """All values of a metric in ``metrics.csv`` so far; a line in writing is left for later."""
        path = self._folder / "metrics.csv"
        if not path.exists():
            return []
        whole_lines = path.read_text(encoding="utf-8").rpartition("\n")[0]
        rows = csv.DictReader(whole_lines.splitlines())
        return [float(row[metric]) for row in rows if row.get(metric)]

    def error(self) -> str:
        """Why the process ended: its last ``error:`` sentence, or its last line."""
        code = self.exit_code
        if code is not None and self.was_killed:
            number = -code if code < 0 else code - SIGNALLED
            remark = ", perhaps for want of memory" if number == signal.SIGKILL else ""
            return f"ended by {signal.Signals(number).name}{remark}"
        with self._output.open("rb") as file:
            file.seek(self._begin)
            lines = file.read().decode(errors="replace").strip().splitlines()
        sentences = [line for line in lines if line.startswith("error: ")]
        return (sentences or lines or [f"ended with code {code}"])[-1].removeprefix("error: ")

    def terminate(self) -> None:
        """Ask the process to end."""
        self._process.terminate()

    def stop(self) -> None:
        """End the process, gently at first."""
        self.terminate()
        self._process.join(SECONDS_TO_STOP)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()

    def silent_seconds(self) -> float:
        """Time since the process last showed that it works: by a file of the run or by computing.

        Computing is time of a processor, of at least ``LEAST_LOAD``, in the process or in one that
        it started; where the system has no ``/proc``, only files count.
        """
        now = time.monotonic()
        if now - self._looked < SECONDS_BETWEEN_SIGNS:
            return self._looked - self._alive
        files = [self._folder, *self._folder.glob("*"), *self._folder.glob("checkpoints/*")]
        written = max((path.stat().st_mtime_ns for path in files if path.exists()), default=0)
        computed = processor_seconds(self._process.pid or 0)
        load = (computed - self._computed) / (now - self._looked)
        if written != self._written or load >= LEAST_LOAD:
            self._alive = now
        self._looked, self._written, self._computed = now, written, computed
        return self._looked - self._alive


def wait(processes: Iterable[TrialProcess], seconds: float) -> None:
    """Return when one of them ends, or after some time."""
    connection.wait([one._process.sentinel for one in processes], timeout=seconds)


def processor_seconds(root: int) -> float:
    """Time that a process and those below it have computed; 0 where there is no ``/proc``."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        number = int(path.parent.name)
        parents[number], ticks[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    total, generation = 0, {root}
    while generation:
        total += sum(ticks.get(number, 0) for number in generation)
        generation = {number for number, parent in parents.items() if parent in generation}
    return total / os.sysconf("SC_CLK_TCK")


def _call(command: Callable[[list[str]], None], arguments: list[str], output: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with output.open("a", encoding="utf-8", errors="backslashreplace", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout = sys.stderr = file
        command(arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
