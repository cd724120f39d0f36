"""Draws the animation of the README: a decoder writes, and its attention moves over the source.

    make demo RUN=outputs/demo
    python benchmarks/attention_animation.py --run outputs/demo

Each frame is one step of the decoder: lines from the token that it writes to the source tokens, as
strong as the attention weights, and beside them the matrix of weights, which gains a row.
"""

import argparse
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from tandem.inference import load_bundle

INK, PALE, ACCENT = "#1f2933", "#b8c2cc", "#d9480f"


def main() -> None:
    """Write one animated GIF."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", required=True, help="folder of a run whose attention has weights")
    parser.add_argument("--source", default="jump around left after walk twice")
    parser.add_argument("--output", type=Path, default=Path("docs/images/attention.gif"))
    asked = parser.parse_args()
    matplotlib.use("Agg")
    seen = load_bundle(asked.run).inspect(asked.source)
    source, target = seen.source.tokens or [], seen.outputs[0].tokens
    weights = seen.arrays["decoder/attention"]
    frames = [frame(source, target, weights, step) for step in range(len(weights) + 1)]
    colours = frames[-1].quantize(64)
    pictures = [one.quantize(palette=colours, dither=Image.Dither.NONE) for one in frames]
    pictures[0].save(
        asked.output,
        save_all=True,
        append_images=pictures[1:],
        duration=[1000, *[650] * (len(pictures) - 2), 3000],
        loop=0,
        optimize=True,
    )
    print(f"{asked.output}: {len(pictures)} frames, {asked.output.stat().st_size / 1000:.0f} kB")


def frame(source: list[str], target: list[str], weights: np.ndarray, steps: int) -> Image.Image:
    """What there is after so many steps of the decoder; weights (T, S)."""
    figure = Figure(figsize=(8, 3.6), dpi=100)
    lines, matrix = figure.subplots(1, 2, width_ratios=[1, 1.15])
    figure.subplots_adjust(left=0.02, right=0.98, bottom=0.04, top=0.8, wspace=0.42)
    _draw_lines(lines, source, target[:steps], weights[:steps], len(weights))
    _draw_matrix(matrix, source, target[:steps], weights[:steps], len(weights))
    buffer = BytesIO()
    figure.savefig(buffer)
    return Image.open(buffer).convert("RGB")


def _draw_lines(
    axes: Axes, source: list[str], target: list[str], weights: np.ndarray, most: int
) -> None:
    """Source tokens on the left, output tokens on the right, and the last step's weights."""
    axes.set(xlim=(-0.32, 1.4), ylim=(most - 0.5, -0.5))
    axes.axis("off")
    axes.set_title("the decoder writes token by token", color=INK, fontsize=11, pad=14)
    places = np.linspace(0, most - 1, len(source))
    for place, token in zip(places, source, strict=True):
        axes.text(0.08, place, token, ha="right", va="center", color=INK, fontsize=11)
    for row, token in enumerate(target):
        latest = row == len(target) - 1
        axes.text(
            0.92,
            row,
            token,
            va="center",
            fontsize=9.5,
            family="monospace",
            color=ACCENT if latest else INK,
            weight="bold" if latest else "normal",
        )
    if target:
        for place, weight in zip(places, weights[-1], strict=True):
            (line,) = axes.plot([0.12, 0.89], [place, len(target) - 1], color=ACCENT)
            line.set(alpha=float(weight), linewidth=0.5 + 3.5 * float(weight))


def _draw_matrix(
    axes: Axes, source: list[str], target: list[str], weights: np.ndarray, most: int
) -> None:
    """The weights so far, a row for each output token."""
    grid = np.full((most, len(source)), np.nan)
    grid[: len(weights)] = weights
    axes.imshow(grid, cmap="Oranges", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(source)), source, fontsize=9.5, color=INK)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(target)), target, fontsize=8.5, color=INK, family="monospace")
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(len(source) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(most + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_color(PALE)
    axes.set_title("attention weights", color=INK, fontsize=11, pad=8)


if __name__ == "__main__":
    main()
