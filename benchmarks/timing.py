"""Times systems in turns on a CPU or a GPU, which computes while the program goes on."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import torch

Item = TypeVar("Item")
Run = Callable[[Item], object]

WARM_UPS = 2
"""Rounds that are not counted: the second one is the first with an optimizer's averages."""


@dataclass
class Timed:
    """One system, run in turns with others."""

    warm_up: float
    """Seconds from its making to the first round that counts: with compiling, plans and all."""
    memory: int
    """Peak bytes of the device, without what the other systems hold; 0 on a CPU."""
    rates: list[float] = field(default_factory=list)
    """Units a second, one for each round."""

    @property
    def rate(self) -> float:
        """The median."""
        return statistics.median(self.rates)


def in_turns(
    systems: Mapping[str, Callable[[], Run[Item]]],
    work: Sequence[Item],
    units: int,
    *,
    rounds: int,
    device: str,
    one_at_a_time: bool = False,
) -> dict[str, Timed]:
    """Let all systems do the same work in turns, so that a drift of speed meets all.

    :param systems: makers of what does one item of work.
    :param units: how much all of the work is.
    :param one_at_a_time: whether a system is made anew for each turn, and gone after it. Threads of
        another one, though idle, let OpenMP's threads of a CPU sleep after each operation where
        they would wait: with CTranslate2 alive PyTorch loses a third of its speed on two cores.
    :return: by name; a system that cannot run is left out, and its error printed.
    """
    runs: dict[str, Run[Item]] = {}
    timed: dict[str, Timed] = {}
    for name, make in systems.items():
        try:
            held, start = _start_of_memory(device), time.perf_counter()
            run = runs[name] = make()
            for _ in range(WARM_UPS):
                run_all(run, work)
            synchronize(device)
            timed[name] = Timed(time.perf_counter() - start, _peak_memory(device) - held)
            if one_at_a_time:
                runs[name] = run = _gone
                gc.collect()
        except Exception as error:  # such as a missing package, or memory that is too small
            runs.pop(name, None)
            print(f"{name} is left out: {type(error).__name__}: {error}", flush=True)
    for _ in range(rounds):
        for name in list(runs):
            if one_at_a_time:
                runs[name] = systems[name]()
                for _ in range(WARM_UPS):
                    run_all(runs[name], work)
            timed[name].rates.append(units / seconds(partial(run_all, runs[name], work), device))
            if one_at_a_time:
                runs[name] = _gone
                gc.collect()
    return timed


def _gone(item: object) -> None:
    """In place of a system whose memory and threads are to be free."""


def run_all(run: Run[Item], work: Sequence[Item]) -> None:
    """Do all items."""
    for item in work:
        run(item)


def seconds(call: Callable[[], object], device: str) -> float:
    """How long a call takes, until the device has done its part."""
    synchronize(device)
    start = time.perf_counter()
    call()
    synchronize(device)
    return time.perf_counter() - start


def synchronize(device: str) -> None:
    """Wait until a GPU has done all that it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


def device_name(device: str) -> str:
    """What a table calls the device."""
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    return f"{name}, torch {torch.__version__}"


def matrix_peak(device: str, *, side: int = 8192, repeats: int = 20) -> float:
    """Operations a second of a large product in bfloat16: what a model's share is measured by."""
    one, other = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))
    torch.mm(one, other)
    fastest = min(seconds(lambda: torch.mm(one, other), device) for _ in range(repeats))
    return 2 * side**3 / fastest


def _start_of_memory(device: str) -> int:
    """Forget the peak so far; bytes that are held now."""
    gc.collect()
    if device != "cuda":
        return 0
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()


def _peak_memory(device: str) -> int:
    return torch.cuda.max_memory_allocated() if device == "cuda" else 0
