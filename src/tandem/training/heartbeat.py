"""Whether ranks get on: each counts what it begins and ends, and the launcher watches them."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0


class Heartbeat(L.Callback):
    """Counts in a file what begins and ends: batches, epochs, evaluations.

    :param folder: of the launcher, with a file for each rank that is at work.
    """

    def __init__(self, folder: Path, rank: int) -> None:
        self.path = folder / f"{rank}"
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.count = 0
        self._beat()

    def _beat(self, *_: Any, **__: Any) -> None:
        os.pwrite(self._file, b"%d %d\n" % (os.getpid(), self.count), 0)
        self.count += 1

    on_fit_start = on_fit_end = on_train_epoch_start = on_train_epoch_end = _beat
    on_train_batch_start = on_train_batch_end = _beat
    on_validation_start = on_validation_end = on_test_start = on_test_end = _beat
    on_validation_batch_start = on_validation_batch_end = _beat
    on_test_batch_start = on_test_batch_end = _beat

    def end(self) -> None:
        """Be watched no longer."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)


@dataclass
class Pulse:
    """What is known of a rank."""

    rank: int
    pid: int
    count: int
    since: float
    """When the count became what it is."""


class Watch:
    """Ends ranks that stand still, or whose work together a dead one has ended.

    Torch starts all of them again, but first waits half a minute for those that are left, which
    wait for the one that is not.

    :param folder: where ranks write their counts.
    :param limit: seconds in which nothing of a rank begins or ends, after which all are ended;
        None for no limit.
    """

    def __init__(self, folder: Path, limit: float | None) -> None:
        self.folder = folder
        self.limit = limit
        self.told = ""
        """What was said of the last rank that stood still."""
        self._pulses: dict[int, Pulse] = {}
        self._ended = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch from a thread."""
        thread = threading.Thread(target=self._look_again_and_again, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _look_again_and_again(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Read the counts, and end all ranks if one is dead or stands still."""
        self._pulses = {rank: self._since(pulse) for rank, pulse in self._read(now).items()}
        pulses = self._pulses.values()
        still = [pulse for pulse in pulses if self.limit and now - pulse.since > self.limit]
        if still:
            last = min(still, key=lambda one: (one.count, not is_stopped(one.pid), one.rank))
            self.told = (
                f"Rank {last.rank} (process {last.pid}) has made no progress for "
                f"launch.stalled_after={self.limit:g} seconds"
            )
            logger.warning("%s, so all ranks are ended", self.told)
        elif all(is_alive(pulse.pid) for pulse in pulses):
            return
        for path in self.folder.iterdir():
            path.unlink()  # until they start again, nobody is watched
        for pulse in pulses:
            with suppress(ProcessLookupError):
                os.kill(pulse.pid, signal.SIGKILL)

    def _read(self, now: float) -> dict[int, Pulse]:
        pulses = {}
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError, ValueError):  # it ends, or is being written
                pid, count = path.read_text().split()
                pulses[int(path.name)] = Pulse(int(path.name), int(pid), int(count), now)
        return pulses

    def _since(self, pulse: Pulse) -> Pulse:
        before = self._pulses.get(pulse.rank)
        same = before is not None and (before.pid, before.count) == (pulse.pid, pulse.count)
        return before if before is not None and same else pulse


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped a process; False where the system does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False
