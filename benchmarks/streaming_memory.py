"""Peak memory of an epoch of batches, from a stream and from a split that is held: small and large.

    python benchmarks/streaming_memory.py --pairs 50000 5000000
    python benchmarks/streaming_memory.py --pairs 50000 1000000 --held

Writes parallel text of random words into a temporary folder, five shards a side, and goes through
one epoch in a process of its own for each number of pairs: tokenizers, batches, no training. With
``--held`` the split is read as a whole, as without ``data.streaming=true``.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tandem.data.batching import Budget
from tandem.data.datasets import parallel
from tandem.data.module import DataModule, LengthFilter
from tandem.data.preprocessing import LearnProcessors
from tandem.data.stream import StreamOptions
from tandem.data.tokenizers import WordTokenizer

SHARDS, LONGEST, WORDS = 5, 9, 5000
NAMES: dict[str, Any] = {"train": "train-*", "validation": "held_out", "test": "held_out"}


def main() -> None:
    """Measure each number of pairs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs="+", required=True)
    parser.add_argument("--held", action="store_true")
    options = parser.parse_args()
    for pairs in options.pairs:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), pairs)
            child = multiprocessing.get_context("spawn").Process(
                target=go_through, args=(Path(folder), not options.held)
            )
            child.start()
            child.join()


def write(folder: Path, pairs: int) -> None:
    """Write the shards, 100,000 lines or fewer at once, and a file for validation and test."""
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"word{number}" for number in range(WORDS)])
    for name, count in [(f"train-{shard}", pairs // SHARDS) for shard in range(SHARDS)] + [
        ("held_out", 100)
    ]:
        with (folder / f"{name}.x").open("w") as source, (folder / f"{name}.y").open("w") as target:
            for start in range(0, count, 100_000):
                for length in rng.integers(1, LONGEST + 1, min(count - start, 100_000)):
                    words = vocabulary[rng.integers(0, WORDS, length)]
                    source.write(" ".join(words) + "\n")
                    target.write(" ".join(words[::-1]) + "\n")


def go_through(folder: Path, streaming: bool) -> None:
    """Iterate over one epoch and print the process's peak."""
    os.environ["TANDEM_CACHE"] = str(folder / "cache")
    recipe = WordTokenizer(
        shared=True, lowercase=False, normalization="none", vocabulary_size=30000, min_frequency=1
    )
    data = DataModule(
        load=lambda: parallel(
            data_dir=str(folder),
            **NAMES,
            seed=0,
            source="x",
            target="y",
            references=None,
            strip=False,
            streaming=streaming,
            on_bad_example="error",
        ),
        learn=LearnProcessors(
            reader=None, source_recipe=recipe, target_recipe=recipe, truncate_source=None
        ),
        length_filter=LengthFilter(max_source_length=None, max_target_length=None),
        skip_bad=False,
        budget=Budget(max_tokens=4096, max_source_tokens=4096, max_sentences=None),
        stream_options=StreamOptions(buffer_size=20_000, sample_size=40_000),
        overfit=None,
        augmentation=None,
        seed=0,
    )
    before = peak()
    start = time.monotonic()
    data.prepare()
    pairs = sum(len(batch.indices) for batch in data.train_dataloader())
    seconds = time.monotonic() - start
    print(
        f"{pairs:,} pairs: peak {peak():,.0f} MB, of which {before:,.0f} MB before any data; "
        f"{pairs / seconds:,.0f} pairs/s",
        flush=True,
    )


def peak() -> float:
    """Most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
