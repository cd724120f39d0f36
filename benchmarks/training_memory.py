"""Memory of a training on a CPU, epoch by epoch: what oneDNN keeps of the shapes that it has seen.

    python benchmarks/training_memory.py
    python benchmarks/training_memory.py --kernels 16384 --wrapped 1024

Each system trains in a process of its own, one thread, on random batches by length, of which
nearly every one has a shape of its own, for some epochs: a GRU in full precision, whose
products need no such kernels, and a Transformer with rounded products
(``callbacks=[default,matmul_precision]``), both of one layer a side, as layers of one size share
their kernels. Printed are the process's memory after each epoch and the processor time of a step;
as the models are this small, compiling is much of it.
"""

import argparse
import dataclasses
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

VOCABULARY = 500
SYSTEMS = ("gru", "rounded transformer")


def main() -> None:
    """Train each system in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", type=int, help="kernels that oneDNN keeps")
    parser.add_argument("--wrapped", type=int, help="kernels that PyTorch's layer on it keeps")
    parser.add_argument("--batches", type=int, default=80, help="shapes, an epoch each once")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for name, value in (
        ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", options.kernels),
        ("LRU_CACHE_CAPACITY", options.wrapped),
    ):
        if value is not None:
            os.environ[name] = str(value)
    for system in options.systems:
        child = multiprocessing.get_context("spawn").Process(
            target=train, args=(system, options.batches, options.epochs)
        )
        child.start()
        child.join()


def train(system: str, batches: int, epochs: int) -> None:
    """Go through the same batches again and again."""
    from tandem.core.kernels import bound_kernels

    bound_kernels()  # as `tandem train` does
    import torch
    from systems import SIZES, gru, tandem_step, transformer

    size = dataclasses.replace(SIZES["tiny"], vocabulary=VOCABULARY, layers=1, gru=64)
    models: dict[str, Callable[[], Any]] = {
        "gru": lambda: gru(size),
        "rounded transformer": lambda: transformer(size),
    }
    torch.manual_seed(0)
    step = tandem_step(models[system](), "rounded" if system.startswith("rounded") else "fp32")
    work = small_batches(batches)
    print(f"{system}: {memory():,.0f} MB before the first step")
    for epoch in range(epochs):
        start = time.process_time()
        for batch in work:
            step(batch)
        seconds = time.process_time() - start
        print(
            f"{system}: epoch {epoch + 1}, {memory():,.0f} MB, {1000 * seconds / len(work):.1f} ms "
            "of the processor a step",
            flush=True,
        )


def small_batches(count: int) -> list[Any]:
    """Batches of some 300 symbols whose lengths differ, as those of sentences do."""
    import numpy as np

    from tandem.data.batching import Encoded
    from tandem.data.columns import TextColumn
    from tandem.data.ragged import Ragged

    rng = np.random.default_rng(0)

    def batch() -> Any:
        rows, longest = int(rng.integers(4, 16)), int(rng.integers(8, 45))

        def ids(lengths: Any) -> Ragged:
            symbols = rng.integers(4, VOCABULARY, int(lengths.sum()), dtype=np.int32)
            return Ragged(symbols, np.concatenate(([0], lengths.cumsum())))

        source, target = (np.full(rows, longest + int(shift)) for shift in rng.integers(-4, 5, 2))
        encoded = Encoded(
            TextColumn(ids(source), before=None, after=2), ids(target), np.arange(rows)
        )
        return encoded.collate(np.arange(rows))

    return [batch() for _ in range(count)]


def memory() -> float:
    """What this process has now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
