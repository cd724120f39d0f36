"""Does every combination of ``grid.py`` compute the right things on a device? Nothing is trained.

    python benchmarks/grid_check.py --device cuda
    python benchmarks/grid_check.py --every 20

Gradients must be finite, steps must give the scores of one pass, and searches must end, in fp32 and
under bfloat16 autocast. The contract tests say it more sharply, in double precision:
``pytest -m gpu tests/contracts``; this takes a minute on a GPU.
"""

import argparse
import sys
import time

import torch
from grid import (
    GROUPS,
    MEDIA_OVERRIDES,
    OVERRIDES,
    SIZES,
    Names,
    combinations,
    combine,
    compose_options,
    make_model,
)
from omegaconf import DictConfig
from reversal import VOCABULARY, Pairs, strings

from tandem.core.types import FIRST_OUTPUT, SPECIAL_IDS
from tandem.search import BeamSearch, GreedySearch, Search, Step
from tandem.training.losses import LabelSmoothedCrossEntropy

TOLERANCES = {"fp32": 2e-3, "bf16": 0.3}
"""How far scores of steps may be from those of one pass."""
ROWS, LONGEST = 24, 12
SEARCHES: tuple[Search, ...] = (
    GreedySearch(),
    BeamSearch(width=4, length_penalty="none", alpha=0.0, stop="pool"),
)


def faults(cfg: DictConfig, precision: str, device: str) -> list[str]:
    """What is wrong with an untrained model on a device.

    :param precision: fp32, or bf16 for autocast.
    """
    torch.manual_seed(0)
    model = make_model(cfg, VOCABULARY).to(device)
    pairs = Pairs.of(strings()[:ROWS], model.frontend.media).to(device)
    autocast = torch.autocast(device, torch.bfloat16, enabled=precision == "bf16")
    with autocast:
        rows = torch.arange(ROWS, device=device)
        features, target = pairs.features(model, rows)
        loss = LabelSmoothedCrossEntropy(smoothing=0.1)(features, model.output.weight, target)
    loss.backward()
    gradients = [one.grad for one in model.parameters() if one.grad is not None]
    wrong = [] if all(one.isfinite().all() for one in [loss, *gradients]) else ["gradients"]
    model.eval()
    with torch.inference_mode(), autocast:
        state = model.start(model.encode(pairs.source, pairs.source_mask))
        first = torch.full_like(rows, SPECIAL_IDS.bos)
        for search in SEARCHES:
            step = Step(model.step, model.normalized)
            found = search(step, state, first=first, max_length=LONGEST)
            if len(found) != ROWS or not all(one[0].tokens for one in found):
                wrong.append(type(search).__name__)
        whole = model(pairs.source, pairs.source_mask, pairs.target_in)[..., FIRST_OUTPUT:]
        error = 0.0
        for place, symbols in enumerate(pairs.target_in.unbind(1)):
            scores, state = model.step(symbols, state)
            difference = scores[:, FIRST_OUTPUT:].float() - whole[:, place].float()
            error = max(error, difference.abs().max().item())
    return wrong if error < TOLERANCES[precision] else [*wrong, f"steps ({error:.2g})"]


def check(chosen: list[Names], device: str) -> list[str]:
    """Look for faults of combinations: a line for each that has some."""
    composed, lines = compose_options(OVERRIDES, MEDIA_OVERRIDES), []
    for names in chosen:
        cfg = combine(composed, dict(zip(GROUPS, names, strict=True)), SIZES)
        wrong: list[str] = []
        for precision in TOLERANCES:
            try:
                wrong += [f"{precision} {fault}" for fault in faults(cfg, precision, device)]
            except Exception as error:
                wrong.append(f"{precision} {type(error).__name__}: {error}")
        if wrong:
            lines.append(f"{'-'.join(names)}: {'; '.join(wrong)}")
    return lines


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--every", type=int, default=1, help="only each n-th combination")
    options = parser.parse_args()
    torch.set_num_threads(1)
    begin, chosen = time.monotonic(), combinations()[:: options.every]
    lines = check(chosen, options.device)
    for line in lines:
        print(line)
    seconds = time.monotonic() - begin
    print(f"{len(chosen) - len(lines)} of {len(chosen)} combinations are right; {seconds:.0f} s")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
