"""Sentences per second in generation: Tandem beside Hugging Face ``generate``, same weights' sizes.

    pip install -e '.[bench]'
    python benchmarks/search_speed.py

Both have 8,000 symbols, 4 + 4 layers of size 128 with feed-forward 256 and 4 heads, fp32, and
search with the same width in batches of 64 sources of Multi30k's lengths, for exactly 20 symbols:
``eos`` is made impossible in both, so that untrained models do the same work. The two take turns,
and the ratio of the medians is the figure to quote.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from train_speed import batches, marian, transformer

from tandem.core.types import SPECIAL_IDS, Batch
from tandem.search import BeamSearch, GreedySearch, Search, Step

ROWS, LENGTH = 64, 20


def sources(count: int) -> list[Batch]:
    """Batches of 64 sources."""
    made = batches(10_000, seed=0)
    return [batch for batch in made if len(batch.source) >= ROWS][:count]


def tandem_run(width: int) -> Callable[[Batch], int]:
    """Tandem's search."""
    model = transformer().eval()
    search: Search = (
        GreedySearch(ctc_weight=None)
        if width == 1
        else BeamSearch(width=width, length_penalty="average", alpha=1.0, ctc_weight=None)
    )

    def step(tokens: torch.Tensor, state):  # type: ignore[no-untyped-def]
        logits, state = model.step(tokens, state)
        logits[:, SPECIAL_IDS.eos] = -1e9
        return logits, state

    def run(batch: Batch) -> int:
        state = model.start(model.encode(batch.source[:ROWS], batch.source_mask[:ROWS]))
        first = torch.full((ROWS,), SPECIAL_IDS.bos)
        found = search(Step(step, normalized=False), state, first=first, max_length=LENGTH)
        return sum(len(hypotheses[0].tokens) for hypotheses in found)

    return run


def generate_run(width: int) -> Callable[[Batch], int]:
    """Hugging Face's generate with Marian."""
    model = marian().eval()

    def run(batch: Batch) -> int:
        output = model.generate(  # type: ignore[operator]
            input_ids=batch.source[:ROWS],
            attention_mask=batch.source_mask[:ROWS].long(),
            num_beams=width,
            do_sample=False,
            min_new_tokens=LENGTH,
            max_new_tokens=LENGTH,
        )
        return int((output.size(1) - 1) * len(output))

    return run


@torch.inference_mode()
def main() -> None:
    """Time both in turns for each width."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, default=3, help="batches a round")
    parser.add_argument("--no-generate", action="store_true", help="time Tandem alone")
    options = parser.parse_args()
    torch.manual_seed(0)
    work = sources(options.batches)
    for width in (1, 5):
        systems = {"Tandem": tandem_run(width)}
        if not options.no_generate:
            systems["generate"] = generate_run(width)
        speeds: dict[str, list[float]] = {name: [] for name in systems}
        for round_number in range(options.rounds + 1):
            for name, run in systems.items():
                start = time.perf_counter()
                symbols = [run(batch) for batch in work]
                assert symbols == [ROWS * LENGTH] * len(work), (name, symbols)
                if round_number:  # the first one warms up
                    speeds[name].append(ROWS * len(work) / (time.perf_counter() - start))
        medians = {name: statistics.median(values) for name, values in speeds.items()}
        for name, values in speeds.items():
            print(
                f"width {width}, {name}: median {medians[name]:.1f} sentences/s "
                f"(min {min(values):.1f}, max {max(values):.1f})"
            )
        if "generate" in medians:
            print(
                f"width {width}: Tandem / generate {medians['Tandem'] / medians['generate']:.2f} x"
            )


if __name__ == "__main__":
    main()
