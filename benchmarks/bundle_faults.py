"""What becomes of bundles that are made to harm: each is loaded and used in a process of its own.

    python benchmarks/faults.py bundles
    python benchmarks/faults.py bundles --kinds tokenizers weights --every 5 --seconds 20

Such a process may take some seconds and 2 GiB of memory, and is watched: whether it starts
programs, asks the network, or opens or changes files that are not the bundle's. What is printed is
a table of kinds, and each bundle that was neither refused in one sentence nor of use.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hostile import Variant
from hostile_bundles import SOUND, variants, write_sound

from tandem.core.errors import InputError
from tandem.inference import load_bundle

ROOM = 2 * 2**30
"""Bytes of address space that a process may take beside what it begins with."""
LONGEST_SENTENCE = 1000
"""Characters of a message that a person reads."""
PROMISED = ("refused", "works")
FORBIDDEN = (
    "os.exec",
    "os.fork",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.system",
    "os.truncate",
    "pty.spawn",
    "shutil.",
    "socket.",
    "subprocess.Popen",
    "urllib.Request",
)
"""Events that Python reports, by how their names begin."""


@dataclass(frozen=True)
class Outcome:
    """What became of one bundle."""

    verdict: str
    """refused, works, or what should not be: traceback, hang, abort, memory, escape."""
    text: str
    """The sentence, or what happened."""
    seconds: float
    megabytes: float
    """Most memory beside what the process began with."""


Results = dict[str, list[tuple[Variant, Outcome]]]


def use(folder: Path, source: str) -> tuple[str, str]:
    """Load a bundle and let it write and score; return the verdict and the sentence.

    :param source: a text, or a file in the folder, where this process stands from now on.
    """
    os.chdir(folder)
    try:
        bundle = load_bundle(folder)
        outputs = bundle.generate([source, source])
        bundle.score([source], outputs[:1])
    except InputError as error:
        sentence = str(error)
        if "\n" in sentence or len(sentence) > LONGEST_SENTENCE:
            return "no sentence", sentence[:200]
        return "refused", sentence
    except MemoryError as error:
        return "memory", str(error)
    except Exception as error:
        short = f"{type(error).__name__}: {str(error)[:200]}"
        return ("memory" if "allocate" in short else "traceback"), short
    return "works", ""


@contextmanager
def sound_bundles() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with each sound bundle under its name, and a source for each, used once."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as work:
        sources = {name: write_sound(name, Path(work) / name) for name in SOUND}
        for name, source in sources.items():
            verdict, text = use(Path(work) / name, source)  # imports what it needs
            assert verdict == "works", text
        os.chdir(before)
        yield Path(work), sources


def run(choose: Callable[[Path], Iterator[Variant]], *, seconds: int = 10) -> Results:
    """Try bundles; return them with what became of each, by kind.

    :param choose: gives variants of the sound bundles in a folder.
    :param seconds: of computing that each may take.
    """
    torch.set_num_threads(1)
    results: Results = {}
    with sound_bundles() as (folder, sources):
        for variant in choose(folder):
            source = sources[variant.sound]
            outcome = attempt(variant, folder / variant.sound, source, seconds=seconds)
            results.setdefault(variant.kind, []).append((variant, outcome))
            if outcome.verdict not in PROMISED:
                print(variant.kind, variant.name, outcome.verdict, outcome.text, sep=" | ")
                sys.stdout.flush()
    return results


def attempt(variant: Variant, sound: Path, source: str, *, seconds: int) -> Outcome:
    """Damage a copy of a bundle and use it in a process with limits."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "bundle"
        shutil.copytree(sound, folder)
        variant.damage(folder)
        report, result = os.pipe()
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            os.close(report)
            _answer(folder, source, result, seconds)
        os.close(result)
        status, usage = _wait(child, seconds * 20)
        with os.fdopen(report) as file:
            answer = file.read()
        took = time.monotonic() - began
    if answer:
        verdict, text, before = json.loads(answer)
        return Outcome(verdict, text, took, usage.ru_maxrss / 1024 - before)
    if status in (signal.SIGXCPU, signal.SIGKILL):
        return Outcome("hang", f"more than {seconds} s", took, 0)
    return Outcome("abort", f"signal or code {status}", took, 0)


def _answer(folder: Path, source: str, result: int, seconds: int) -> None:
    """The process of one bundle, which ends here."""
    with open(os.devnull, "r+b") as nothing:
        for stream in (0, 1, 2):
            os.dup2(nothing.fileno(), stream)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + ROOM
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seen: list[str] = []
    _watch(folder, seen)
    verdict, text = use(folder, source)
    if seen:
        verdict, text = "escape", "; ".join(seen[:3])
    os.write(result, json.dumps((verdict, text, before)).encode())
    os._exit(0)


def _watch(folder: Path, seen: list[str]) -> None:
    """Note from now on what this process does that a bundle needs not."""
    sys.dont_write_bytecode = True
    code = str(Path(__file__).parents[1])
    inside = (str(folder.resolve()), sys.prefix, sys.base_prefix, code, "/proc/", "/sys/")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(FORBIDDEN):
            seen.append(f"{event} {str(arguments)[:100]}")
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            changes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if changes or not path.startswith(inside):
                seen.append(f"open {path}")

    sys.addaudithook(hook)


def _wait(child: int, seconds: float) -> tuple[int, resource.struct_rusage]:
    """The signal or exit code of a process, which is killed if it takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            return ended, usage
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)


def table(results: Results) -> str:
    """What became of the bundles, a row a kind, in Markdown."""
    lines = [
        "| bundles | tried | refused in one sentence | of use | other | memory | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, tried in results.items():
        counts = Counter(outcome.verdict for _, outcome in tried)
        other = len(tried) - sum(counts[verdict] for verdict in PROMISED)
        memory = max(outcome.megabytes for _, outcome in tried)
        seconds = max(outcome.seconds for _, outcome in tried)
        lines.append(
            f"| {kind} | {len(tried)} | {counts['refused']} | {counts['works']} | {other} "
            f"| {memory:,.0f} MB | {seconds:.1f} |"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Try all bundles of some kinds, and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="*", help="rows of the table; all of them if none is")
    parser.add_argument("--every", type=int, default=1, help="only each n-th bundle")
    parser.add_argument("--seconds", type=int, default=10, help="of computing for each")
    options = parser.parse_args(arguments)

    def choose(sound: Path) -> Iterator[Variant]:
        kinds = options.kinds or {variant.kind for variant in variants(sound)}
        chosen = [variant for variant in variants(sound) if variant.kind in kinds]
        return iter(chosen[:: options.every])

    results = run(choose, seconds=options.seconds)
    print(table(results))
    outcomes = [outcome for tried in results.values() for _, outcome in tried]
    sys.exit(any(outcome.verdict not in PROMISED for outcome in outcomes))
