"""``benchmarks/on_a_gpu.py`` on a CPU: its runs compose, and its parts run with tiny sizes."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import gpu_parts
from on_a_gpu import Report, run_part

REACHED = {
    "recipe": ["command line, target tokens/s", "command line / bare step", "validations, s"],
    "training": ["device", "large bf16 product, TFLOP/s", "share of the peak"],
    "search": ["Tandem, width 5, sentences/s", "Tandem, width 1, sentences/s"],
}


@pytest.fixture(autouse=True)
def _switches_stay() -> Iterator[None]:
    """Benchmarks have a process of their own, and leave its switches as they need them."""
    attention = torch.backends.cuda.cudnn_sdp_enabled()
    precision = torch.get_float32_matmul_precision()
    yield
    torch.backends.cuda.enable_cudnn_sdp(attention)
    torch.set_float32_matmul_precision(precision)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize(
    "overrides",
    [
        (*gpu_parts.GPU_RECIPE, *gpu_parts.SPEED_ALONE),
        (*gpu_parts.RECIPE, *gpu_parts.SPEED_ALONE, *gpu_parts.BASE),
    ],
    ids=["recipe", "base"],
)
def test_runs_compose(compose_config, tmp_path, overrides, small) -> None:
    settings = gpu_parts.Settings("cuda", small, tmp_path)
    cfg = compose_config("train", *settings.run("name", *overrides))
    assert cfg.trainer.precision == "bf16-mixed"


@pytest.mark.parametrize("name", REACHED)
def test_a_part_measures(tmp_path, name) -> None:
    settings = gpu_parts.Settings("cpu", True, tmp_path)
    part = next(part for part in gpu_parts.PARTS if part.name == name)
    figures: list[gpu_parts.Figure] = []
    part.run(settings, figures.append)
    measured = [figure.name for figure in figures]
    assert [figure for figure in measured if figure in REACHED[name]] == REACHED[name]


def measure_then_sleep(settings, report) -> None:
    report(gpu_parts.Figure("seconds", "1"))
    time.sleep(60)


def break_down(settings, report) -> None:
    raise MemoryError("too large")


@pytest.mark.parametrize(
    ("run", "lines"),
    [
        (measure_then_sleep, ["| part | seconds | 1 |  |", "| part | cut off | after 1 s |  |"]),
        (break_down, ["| part | failed | MemoryError: too large |  |"]),
    ],
)
def test_a_part_ends_in_time_and_says_why(tmp_path, run, lines) -> None:
    settings = gpu_parts.Settings("cpu", True, tmp_path)
    report = Report(tmp_path / "figures.md")
    report.begin(settings)
    start = time.monotonic()
    run_part(gpu_parts.Part("part", run, 1), settings, 1, report)
    assert time.monotonic() - start < 20
    assert (tmp_path / "figures.md").read_text().splitlines()[4:] == lines
