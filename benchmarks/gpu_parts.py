"""The parts of ``on_a_gpu.py``."""

import dataclasses
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import callback_cost
import grid
import grid_check
import search_speed
import torch
import train_speed
from systems import SIZES, batches, tandem_step, transformer
from timing import device_name, matrix_peak
from watched_run import Watch, watched_run

ROOT = Path(__file__).parents[1]


@dataclass
class Figure:
    """One line of the table."""

    name: str
    value: str
    reach: str = ""


Report = Callable[[Figure], None]


@dataclass(frozen=True)
class Settings:
    """What all parts share."""

    device: str
    small: bool
    output: Path

    def size(self, usual: str) -> str:
        """The name of a size in ``SIZES``."""
        return "small" if self.small else usual

    def rounds(self, usual: int) -> int:
        """How often systems take turns."""
        return 1 if self.small else usual

    def run(self, name: str, *overrides: str) -> list[str]:
        """Arguments of ``tandem train`` for a run of its own."""
        folder = self.output / "runs" / f"{name}.{time.time_ns()}"
        accelerator = {"cpu": "cpu", "cuda": "gpu"}[self.device]
        return [
            *overrides,
            *(SMALL_RUN if self.small else ()),
            f"trainer.accelerator={accelerator}",
            "trainer.devices=1",
            f"run.folder={folder}",
        ]


MIXED = ("trainer.precision=bf16-mixed", "logger=csv")
RECIPE = ("experiment=multi30k/transformer_tiny", *MIXED)
GPU_RECIPE = ("experiment=multi30k/transformer_tiny_gpu", *MIXED)
SPEED_ALONE = (
    "test=false",
    "trainer.max_steps=600",
    "trainer.val_check_interval=300",
    "scheduler.warmup_steps=100",
)
BASE = (
    "hidden_size=512",
    "encoder.num_layers=6",
    "decoder.num_layers=6",
    "encoder.num_heads=8",
    "decoder.num_heads=8",
    "attention.num_heads=8",
    "encoder.feed_forward_size=2048",
    "decoder.feed_forward_size=2048",
    "batching.max_tokens=25000",
)
SMALL_RUN = (
    "dataset=reverse",
    "dataset.size=300",
    "hidden_size=16",
    "encoder.num_layers=1",
    "decoder.num_layers=1",
    "encoder.num_heads=2",
    "decoder.num_heads=2",
    "attention.num_heads=2",
    "batching.max_tokens=256",
    "trainer.max_steps=8",
    "trainer.val_check_interval=4",
    "scheduler.warmup_steps=2",
)


def recipe_speed(settings: Settings, report: Report) -> None:
    """The recipe's speed from the command line, beside the bare step, and its validations."""
    _command_line(settings, report, "recipe", *RECIPE, *SPEED_ALONE, reach="400,000")


def large_batches(settings: Settings, report: Report) -> None:
    """The same of the recipe with batches of a size for a GPU."""
    _command_line(settings, report, "large", *GPU_RECIPE, *SPEED_ALONE, reach="400,000")


def base_command(settings: Settings, report: Report) -> None:
    """The same at base size."""
    _command_line(settings, report, "base", *RECIPE, *SPEED_ALONE, *BASE, share="0.92")


def _command_line(
    settings: Settings, report: Report, name: str, *overrides: str, reach: str = "", share: str = ""
) -> None:
    watch = Watch(settings.device, warm_up=2 if settings.small else 150, keep=20)
    watched_run(settings.run(name, *overrides), watch)
    report(Figure("command line, target tokens/s", f"{watch.rate:,.0f}", reach))
    bare = watch.bare_rate()
    report(Figure("command line / bare step", f"{watch.rate / bare:.2f} of {bare:,.0f}", share))
    times = ", ".join(f"{seconds:.1f}" for seconds in watch.validations)
    report(Figure("validations, s", times, "1" if reach else ""))


def quality(settings: Settings, report: Report) -> None:
    """The whole recipe for a GPU: its score and how long it takes."""
    watch = Watch(settings.device, warm_up=2 if settings.small else 150, keep=0)
    metrics, seconds = watched_run(settings.run("quality", *GPU_RECIPE), watch)
    bleu = metrics.get("test/bleu", float("nan"))
    report(Figure("recipe, test BLEU", f"{bleu:.2f}", "41"))
    report(Figure("recipe, minutes all in all", f"{seconds / 60:.1f}", "4"))
    report(Figure("recipe, median validation, s", f"{statistics.median(watch.validations):.2f}"))


def training(settings: Settings, report: Report) -> None:
    """The bare step beside Marian's, memory, and the share of the peak."""
    report(Figure("device", device_name(settings.device)))
    peak = matrix_peak(settings.device, side=128 if settings.small else 8192)
    report(Figure("large bf16 product, TFLOP/s", f"{peak / 1e12:.1f}"))
    names = (train_speed.TANDEM, train_speed.MARIAN)
    results = _steps_at_base_size(settings, report, names)
    own = results[0]
    report(Figure("share of the peak", f"{own.operations / peak:.2f}", "0.40"))
    if len(results) == len(names):
        times = own.timed.rate / results[1].timed.rate
        memory = f"{own.timed.memory / max(results[1].timed.memory, 1):.2f}"
        report(Figure("Tandem / Marian, memory", f"{times:.2f}, {memory}", "1.8, 0.5"))
    else:
        report(Figure("Tandem / Marian", "Marian did not run (training.log says why)", "1.8"))


def _steps_at_base_size(
    settings: Settings, report: Report, names: tuple[str, ...]
) -> list[train_speed.Result]:
    """Speed and memory of some systems."""
    results = train_speed.compare(
        settings.size("base"),
        ["bf16-mixed"],
        settings.device,
        rounds=settings.rounds(4),
        count=6,
        names=names,
    )
    for one in results:
        memory = f"{one.timed.memory / 2**30:.1f} GiB"
        report(Figure(f"{one.name}, target tokens/s", f"{one.timed.rate:,.0f}, {memory}"))
    return results


def compiled(settings: Settings, report: Report) -> None:
    """``model.compile=true`` beside the same model as it is, and what compiling takes."""
    names = (train_speed.TANDEM, train_speed.COMPILED)
    results = _steps_at_base_size(settings, report, names)
    for one in results:
        reach = "30" if one.name == train_speed.COMPILED else ""
        report(Figure(f"{one.name}, s before it runs evenly", f"{one.timed.warm_up:.0f}", reach))
    if times := train_speed.ratio(results, *names[::-1], "bf16-mixed"):
        report(Figure("compiled / eager", f"{times:.2f}", "1.5"))
    else:
        report(Figure("compiled / eager", "did not run (compiled.log says why)", "1.5"))


def precisions(settings: Settings, report: Report) -> None:
    """fp32 and rounded products, Tandem alone."""
    results = train_speed.compare(
        settings.size("base"),
        ["fp32", "rounded"],
        settings.device,
        rounds=settings.rounds(3),
        count=4,
        names=[train_speed.TANDEM],
    )
    for one in results:
        report(Figure(f"{one.name}, {one.precision}, target tokens/s", f"{one.timed.rate:,.0f}"))


def recurrent(settings: Settings, report: Report) -> None:
    """The GRU with input feeding, beside the Transformer of the same size."""
    results = train_speed.compare(
        settings.size("tiny"),
        ["bf16-mixed"],
        settings.device,
        rounds=settings.rounds(3),
        count=4,
        names=[train_speed.GRU, train_speed.TANDEM],
    )
    for one in results:
        reach = "200,000" if one.name == train_speed.GRU else ""
        report(Figure(f"{one.name}, tiny, target tokens/s", f"{one.timed.rate:,.0f}", reach))


def search(settings: Settings, report: Report) -> None:
    """Greedy and beam search beside ``generate``."""
    for width, reach in ((5, "4"), (1, "")):
        timed = search_speed.compare(
            "transformer",
            width,
            size=settings.size("base"),
            device=settings.device,
            precision="fp32",
            rounds=settings.rounds(3),
            count=2,
            peers=search_speed.GENERATE,
        )
        own = timed["Tandem"].rate
        for name, one in timed.items():
            times = "" if name == "Tandem" else f", Tandem / it {own / one.rate:.2f}"
            figure = Figure(f"{name}, width {width}, sentences/s", f"{one.rate:,.0f}{times}")
            report(dataclasses.replace(figure, reach=reach if times else ""))
        if len(timed) == 1:
            report(Figure(f"generate, width {width}", "did not run (search.log says why)", reach))


def callbacks(settings: Settings, report: Report) -> None:
    """What callbacks cost a step; the table stands in the log."""
    callback_cost.main(["--wait", *settings.run("callbacks", *RECIPE, *SPEED_ALONE)])
    report(Figure("callbacks", "the table is in callbacks.log"))


def launches(settings: Settings, report: Report) -> None:
    """Kernels that a training step launches."""
    if settings.device == "cpu":
        report(Figure("kernels a training step", "a CPU launches none"))
        return
    size = settings.size("base")
    step = tandem_step(transformer(SIZES[size]).to(settings.device), "bf16-mixed")
    work = [batch.to(settings.device) for batch in batches(size, 3)]
    step(work[0])
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        step(work[1])
        torch.cuda.synchronize()
    count = sum(one.count for one in profile.key_averages() if "LaunchKernel" in one.key)
    print(profile.key_averages().table(sort_by="self_device_time_total", row_limit=30))
    report(Figure("kernels a training step", f"{count:,}"))


def combinations(settings: Settings, report: Report) -> None:
    """Whether all combinations of the grid compute the right things."""
    chosen = grid.combinations()[:: 60 if settings.small else 1]
    lines = grid_check.check(chosen, settings.device)
    print("\n".join(lines))
    report(Figure("combinations that are right", f"{len(chosen) - len(lines)} of {len(chosen)}"))


def tests(settings: Settings, report: Report) -> None:
    """``pytest -m gpu``."""
    places = ["tests/contracts/test_device.py"] if settings.small else ["tests", "-n", "8"]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", *places]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    print(done.stdout, done.stderr)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "nothing said"
    report(Figure("pytest -m gpu", re.sub(r" in .*", "", last.strip("= "))))


@dataclass(frozen=True)
class Part:
    """What is measured together."""

    name: str
    run: Callable[[Settings, Report], None]
    seconds: float
    """How long it may take."""


PARTS = (
    Part("recipe", recipe_speed, 90),
    Part("large", large_batches, 90),
    Part("training", training, 90),
    Part("base", base_command, 90),
    Part("compiled", compiled, 120),
    Part("search", search, 60),
    Part("recurrent", recurrent, 40),
    Part("combinations", combinations, 90),
    Part("tests", tests, 240),
    Part("callbacks", callbacks, 60),
    Part("launches", launches, 30),
    Part("precisions", precisions, 40),
    Part("quality", quality, 360),
)
"""The most important first."""
