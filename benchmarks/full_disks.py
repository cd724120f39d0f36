"""Trainings on a disk that becomes full: what was there survives, and with room they go on.

    sudo python benchmarks/faults.py disks --count 30

Each run trains in a small file system of its own in memory (``mount -t tmpfs``, which needs root),
which another file fills at a random moment, all but a few kilobytes. Then that file goes, and the
run is resumed: its folder must hold what an undisturbed run leaves, times aside.
"""

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kills import CASES, Tally, Victim, show
from run_files import in_child, wait_for

SIZE = 2**24
"""Bytes of the file system; a run needs about 1 MB."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system in memory."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, left: int) -> Path:
    """Write a file that takes all the room but some bytes."""
    path = folder / "filler"
    free = shutil.disk_usage(folder).free - left
    if free > 0:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free)
    return path


def at_random_times(name: str, victim: Victim, disk: Path, count: int, rng: random.Random) -> Tally:
    """Fill the disk at random moments, each time for another run."""
    tally = Tally(f"{name}, disk full at random moments")
    for _ in range(count):
        victim.forget()
        victim.killed.parent.mkdir(exist_ok=True)
        child = in_child(victim.config, victim.log)
        time.sleep(rng.uniform(0, 1) * victim.seconds)
        filler = fill(disk, rng.choice((0, 4096, 2**16, 2**18)))
        code = wait_for(child)
        filler.unlink(missing_ok=True)
        found = victim.end()
        if code not in (0, 2):
            found.append(f"ended with code {code}: {victim.log.read_text()[-2000:]}")
        tally.add(1, found)
    return tally


def main(arguments: list[str]) -> None:
    """Fill, make room, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10, help="full disks, each case")
    parser.add_argument("--case", nargs="+", choices=CASES, default=["plain", "averages"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TANDEM_CACHE"] = f"{folder}/cache"
        for name in options.case:
            with small_disk(Path(folder) / name.replace(" ", "-")) as disk:
                victim = Victim(Path(folder) / "whole", CASES[name], killed=disk / "killed")
                show([at_random_times(name, victim, disk, options.count, rng)])
                shutil.rmtree(Path(folder) / "whole")
