"""Target tokens per second in training: Tandem beside Hugging Face Marian, same sizes, one process.

    pip install -e '.[bench]'
    python benchmarks/train_speed.py
    python benchmarks/train_speed.py --device cuda --size base --precision bf16-mixed --compile

Both train on the same random batches. ``--size tiny`` has Multi30k's lengths, 8,000 symbols shared
by source, target and vocabulary layer, 4 + 4 layers of size 128 with feed-forward 256 and 4 heads,
dropout 0.3 and 4,096 padded target tokens a batch; ``--size base`` has 32,000 symbols, 6 + 6 layers
of 512 with feed-forward 2,048 and 8 heads, dropout 0.1 and 25,000. Label smoothing is 0.1, the
optimizer Adam. All take turns, so that a drift of the machine's speed meets all; the ratio of the
medians is the figure to quote. Few batches have few shapes, whose kernels are soon compiled; an
epoch has many more.

A GPU is waited for at both ends of a round. Peaks of memory are of the device, without what other
systems hold. Model operations are 6 for each parameter and target token, those of attention's own
products left out; their share is of what a large product in bfloat16 reaches in the same run.
cuDNN's attention is off for all systems: it plans anew for each shape of batch.
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from systems import (
    PRECISIONS,
    SIZES,
    Step,
    batches,
    gru,
    marian,
    marian_step,
    tandem_step,
    transformer,
)
from timing import Timed, device_name, in_turns, matrix_peak
from torch import nn

from tandem.core.allocator import keep_freed_memory
from tandem.core.kernels import bound_kernels
from tandem.models import Seq2Seq

TANDEM, COMPILED, MARIAN = "Tandem", "Tandem compiled", "Marian"
GRU = "Tandem GRU with input feeding"


@dataclass
class Result:
    """What a table says of one system."""

    name: str
    precision: str
    parameters: int
    timed: Timed

    @property
    def operations(self) -> float:
        """Model operations a second."""
        return 6 * self.parameters * self.timed.rate


def compare(
    size: str,
    precisions: Iterable[str],
    device: str,
    *,
    rounds: int,
    count: int,
    names: Iterable[str] = (TANDEM, MARIAN, GRU),
) -> list[Result]:
    """Time all systems in each precision.

    :param count: batches a round.
    :param names: which systems.
    """
    bound_kernels()  # as `tandem train` does
    keep_freed_memory()
    torch.backends.cuda.enable_cudnn_sdp(False)
    work = [batch.to(device) for batch in batches(size, count)]
    parameters: dict[str, int] = {}

    def maker(name: str, precision: str) -> Callable[[], Step]:
        def make() -> Step:
            torch.manual_seed(0)
            model, step = MODELS[name](size, device, precision)
            parameters[name] = sum(one.numel() for one in model.parameters() if one.requires_grad)
            return step

        return make

    systems = {
        (name, precision): maker(name, precision) for precision in precisions for name in names
    }
    timed = in_turns(
        {", ".join(key): make for key, make in systems.items()},
        work,
        sum(batch.num_symbols for batch in work),
        rounds=rounds,
        device=device,
    )
    return [
        Result(*key, parameters[key[0]], timed[", ".join(key)])
        for key in systems
        if ", ".join(key) in timed
    ]


def _transformer(size: str, device: str, precision: str) -> tuple[nn.Module, Step]:
    model = transformer(SIZES[size]).to(device)
    return model, tandem_step(model, precision)


def _compiled(size: str, device: str, precision: str) -> tuple[nn.Module, Step]:
    model = transformer(SIZES[size]).to(device)
    return model, tandem_step(model, precision, compiled=True)


def _gru(size: str, device: str, precision: str) -> tuple[nn.Module, Step]:
    model: Seq2Seq = gru(SIZES[size]).to(device)
    return model, tandem_step(model, precision)


def _marian(size: str, device: str, precision: str) -> tuple[nn.Module, Step]:
    model = marian(SIZES[size]).to(device)
    return model, marian_step(model, precision)


MODELS: dict[str, Callable[[str, str, str], tuple[nn.Module, Step]]] = {
    TANDEM: _transformer,
    COMPILED: _compiled,
    MARIAN: _marian,
    GRU: _gru,
}


def ratio(results: Iterable[Result], name: str, other: str, precision: str) -> float | None:
    """How many times as fast a system is as another; None if one of them did not run."""
    rates = {(one.name, one.precision): one.timed.rate for one in results}
    fast, slow = rates.get((name, precision)), rates.get((other, precision))
    return fast / slow if fast and slow else None


def main() -> None:
    """Time all systems in turns and print their medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=PRECISIONS,
        default=["fp32", "rounded"],
        help="one or more",
    )
    parser.add_argument("--compile", action="store_true", help="also Tandem with model.compile")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=4, help="batches a round")
    parser.add_argument("--no-marian", action="store_true", help="time Tandem alone")
    options = parser.parse_args()
    names = [TANDEM, GRU]
    names += [COMPILED] if options.compile else []
    names += [] if options.no_marian else [MARIAN]
    results = compare(
        options.size,
        options.precision,
        options.device,
        rounds=options.rounds,
        count=options.batches,
        names=names,
    )
    print(device_name(options.device))
    peak = matrix_peak(options.device) if options.device == "cuda" else None
    for one in results:
        rates = one.timed.rates
        print(
            f"{one.name}, {one.precision}, {one.parameters:,} parameters: median "
            f"{one.timed.rate:,.0f} target tokens/s (min {min(rates):,.0f}, max "
            f"{max(rates):,.0f}), warm-up {one.timed.warm_up:.1f} s"
        )
        if peak:
            print(
                f"  peak memory {one.timed.memory / 2**30:.1f} GiB, {one.operations / 1e12:.1f} "
                f"TFLOP/s, {one.operations / peak:.2f} of the {peak / 1e12:.0f} of a large product"
            )
    for precision in options.precision:
        for name, other in ((TANDEM, MARIAN), (COMPILED, TANDEM)):
            if times := ratio(results, name, other, precision):
                print(f"{name} / {other}, {precision}: {times:.2f} x")


if __name__ == "__main__":
    main()
