"""Sentences per second in generation: Tandem beside ``generate`` and CTranslate2, same sizes.

    pip install -e '.[bench]'
    python benchmarks/search_speed.py

All have 8,000 symbols, 4 + 4 layers of size 128 with feed-forward 256 and 4 heads, fp32, and
search with the same width in batches of 64 sources of Multi30k's lengths, for exactly 20 symbols:
``eos`` is made impossible in all, so that untrained models do the same work. They take turns, and
the ratio of the medians is the figure to quote. CTranslate2 also runs with weights in int8, which
the others don't have.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from train_speed import VOCABULARY, batches, marian, transformer

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


def ctranslate2_run(width: int, compute_type: str) -> Callable[[Batch], int]:
    """CTranslate2's search over the same Marian model, its weights in fp32 or int8."""
    import ctranslate2
    from ctranslate2.converters.transformers import BartLoader

    model: Any = marian().eval()
    model.config.normalize_before = model.config.normalize_embedding = False
    spec = BartLoader().get_model_spec(model)
    symbols = [f"s{number}" for number in range(VOCABULARY)]
    spec.register_source_vocabulary(symbols)
    spec.register_target_vocabulary(symbols)
    spec.config.unk_token = symbols[SPECIAL_IDS.unk]
    spec.config.eos_token = symbols[SPECIAL_IDS.eos]
    spec.config.bos_token = spec.config.decoder_start_token = symbols[SPECIAL_IDS.bos]
    spec.validate()
    spec.optimize(None if compute_type == "float32" else compute_type)
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        translator = ctranslate2.Translator(
            folder, compute_type=compute_type, intra_threads=torch.get_num_threads()
        )

    def run(batch: Batch) -> int:
        rows = zip(batch.source[:ROWS].tolist(), batch.source_mask[:ROWS].sum(1), strict=True)
        texts = [[symbols[token] for token in row[:length]] for row, length in rows]
        found = translator.translate_batch(
            texts, beam_size=width, min_decoding_length=LENGTH, max_decoding_length=LENGTH
        )
        return sum(len(one.hypotheses[0]) for one in found)

    return run


@torch.inference_mode()
def main() -> None:
    """Time both in turns for each width."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, default=3, help="batches a round")
    parser.add_argument("--alone", action="store_true", help="time Tandem only")
    options = parser.parse_args()
    torch.manual_seed(0)
    work = sources(options.batches)
    for width in (1, 5):
        systems = {"Tandem": tandem_run(width)}
        if not options.alone:
            systems["Hugging Face generate"] = generate_run(width)
            systems["CTranslate2 fp32"] = ctranslate2_run(width, "float32")
            systems["CTranslate2 int8"] = ctranslate2_run(width, "int8")
        speeds: dict[str, list[float]] = {name: [] for name in systems}
        for round_number in range(options.rounds + 1):
            for name, run in systems.items():
                start = time.perf_counter()
                symbols = [run(batch) for batch in work]
                assert symbols == [ROWS * LENGTH] * len(work), (name, symbols)
                if round_number:  # the first one warms up
                    speeds[name].append(ROWS * len(work) / (time.perf_counter() - start))
        ours = statistics.median(speeds["Tandem"])
        for name, values in speeds.items():
            median = statistics.median(values)
            print(
                f"width {width}, {name}: median {median:.1f} sentences/s (min {min(values):.1f}, "
                f"max {max(values):.1f}), Tandem / it {ours / median:.2f}"
            )


if __name__ == "__main__":
    main()
