"""Trainings that are killed and resumed, held file by file against one that never was.

    python benchmarks/faults.py kills --every 1
    python benchmarks/faults.py kills --times 50 --case plain stream

With ``--every n`` a run is killed before the n-th, 2n-th ... time that it changes a file, so 1 is
every moment at which what lies on disk differs. With ``--times n`` runs get signals at n random
moments, several of them in a row. In the end the folder must hold what a run that was never
disturbed leaves, times aside.
"""

import argparse
import os
import random
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig
from run_files import (
    STREAM,
    differences,
    in_child,
    kill_at_event,
    tiny_config,
    train_whole,
    wait_for,
    write_pairs,
)

CASES: dict[str, tuple[str, ...]] = {
    "plain": (),
    "validation within epochs": ("trainer.val_check_interval=2",),
    "accumulated batches": ("trainer.accumulate_grad_batches=3", "trainer.val_check_interval=2"),
    "averages": ("callbacks=[default,ema,average]", "callbacks.average.count=2"),
    "plateau": ("scheduler=plateau", "scheduler.patience=0", "monitor.name=val/loss"),
    "early stop": (
        "trainer.max_epochs=9",
        "optimizer.lr=1e-9",
        "callbacks.early_stopping.patience=1",
        "callbacks.early_stopping.patience_steps=0",
    ),
    "steps without epochs": ("trainer.max_epochs=-1", "trainer.max_steps=12"),
    "rare rows": ("trainer.log_every_n_steps=3",),
    "stream": STREAM,
    "stream without end": (*STREAM, "trainer.max_epochs=-1", "trainer.max_steps=9"),
}
"""What a run trains with, by a name."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PATIENCE = 120
"""Seconds for which a child may train."""


@dataclass
class Tally:
    """What became of the runs of one case."""

    name: str
    kills: int = 0
    runs: int = 0
    equal: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, kills: int, found: list[str]) -> None:
        """Count a run."""
        self.runs += 1
        self.kills += kills
        self.equal += not found
        self.failures += found


class Victim:
    """A run that is killed again and again in a folder of its own, beside one that is not.

    :param folder: where both go, unless ``killed`` says where the victim does.
    :param overrides: what they train with.
    """

    def __init__(
        self, folder: Path, overrides: tuple[str, ...], killed: Path | None = None
    ) -> None:
        self.whole, self.killed = folder / "whole", killed or folder / "killed"
        self.log = folder / "output.log"
        write_pairs(folder / "pairs")
        if "dataset=parallel" in overrides:
            overrides = (*overrides, f"dataset.data_dir={folder / 'pairs'}")
        start = time.monotonic()
        train_whole(tiny_config(self.whole, *overrides), self.log)
        self.seconds = time.monotonic() - start
        self.first = tiny_config(self.killed, *overrides)
        self.again = tiny_config(self.killed, *overrides, "resume=true")

    @property
    def config(self) -> DictConfig:
        """What trains next."""
        return self.again if self.killed.exists() else self.first

    def forget(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.killed, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def end(self) -> list[str]:
        """Resume the run to its end; in what it differs from the whole one."""
        if wait_for(in_child(self.config, self.log)):
            *_, last = self.log.read_text().splitlines() or ["nothing printed"]
            return [f"the resumed run failed: {last}"]
        return differences(self.whole, self.killed)


def at_each_change(name: str, victim: Victim, every: int) -> Tally:
    """Kill a run before every n-th change of a file; one kill a run."""
    tally = Tally(f"{name}, SIGKILL at changes of files")
    number = every
    while True:
        victim.forget()
        if wait_for(in_child(victim.config, victim.log, kill_at_event(victim.killed, number))) == 0:
            return tally
        found = victim.end()
        tally.add(1, [f"change {number}: {one}" for one in found])
        number += every


def at_random_times(name: str, victim: Victim, count: int, rng: random.Random) -> Tally:
    """Send signals at random moments, up to three to a run."""
    tally = Tally(f"{name}, signals at random moments")
    while tally.kills < count:
        victim.forget()
        sent = []
        for _ in range(rng.randint(1, 3)):
            number = rng.choice(SIGNALS)
            child = in_child(victim.config, victim.log)
            time.sleep(rng.uniform(0, 1.1) * victim.seconds)
            os.kill(child, number)
            if wait_for(child) == 0:
                break
            sent.append(number.name)
        tally.add(len(sent), [f"{' '.join(sent)}: {one}" for one in victim.end()])
    return tally


def show(tallies: list[Tally]) -> None:
    """Print the table and what went wrong."""
    print(f"| {'run, fault':58} | kills | runs | equal |\n|{'-' * 60}|------:|-----:|------:|")
    for one in tallies:
        print(f"| {one.name:58} | {one.kills:5} | {one.runs:4} | {one.equal:5} |", flush=True)
        for failure in one.failures:
            print(f"    {failure}", flush=True)


def main(arguments: list[str]) -> None:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=0, help="kill at each n-th change of a file")
    parser.add_argument("--times", type=int, default=0, help="signals at random moments, each case")
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TANDEM_CACHE"] = f"{folder}/cache"
        for name in options.case:
            victim = Victim(Path(folder) / name.replace(" ", "-"), CASES[name])
            if options.every:
                show([at_each_change(name, victim, options.every)])
            if options.times:
                show([at_random_times(name, victim, options.times, rng)])
