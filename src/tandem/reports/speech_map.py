"""Attention weights under the spectrogram of what was heard."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tandem.core.errors import InputError
from tandem.reports.attention_map import visible
from tandem.reports.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SECOND = 2.6
"""Inches for a second of sound, between the narrowest and the widest figure."""
NARROWEST, WIDEST = 5.0, 15.0
SPECTROGRAM = 1.3
"""Inches for the height of the spectrogram."""
ROW, TALLEST = 0.24, 12.0
"""Inches for a token, and for all of them at most."""
LETTER = 0.075
"""Inches for a letter of a label."""
GREY = "#5b6570"


def draw_speech(
    frames: NDArray[np.floating],
    seconds_per_frame: float,
    target_tokens: list[str],
    weights: NDArray[np.floating],
    title: str,
) -> "Figure":
    """Draw a spectrogram, and below it on the same axis of time where each token was heard.

    :param frames: (F, bands), the lowest band first.
    :param seconds_per_frame: from one frame to the next.
    :param target_tokens: T labels of what was written, from top to bottom.
    :param weights: (T, S'), rows sum to one; the S' positions share the F frames evenly.
    :param title: stands below.
    :raises InputError: if the weights do not fit the tokens, or there are no frames.
    """
    if weights.ndim != 2 or len(weights) != len(target_tokens) or not weights.size:
        raise InputError(
            f"A map of speech needs weights with one row for each of {len(target_tokens)} tokens, "
            f"but has weights of shape {weights.shape}; draw only maps that fit."
        )
    if frames.ndim != 2 or not frames.size:
        raise InputError(
            f"A map of speech needs frames of shape (F, bands), but has {frames.shape}; give it "
            "what the frontend read."
        )
    seconds = len(frames) * seconds_per_frame
    figure = _figure(seconds, target_tokens)
    ratios = [SPECTROGRAM, _height(target_tokens)]
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=ratios)
    _draw_spectrogram(above, frames.astype(np.float32), seconds)
    image = below.imshow(
        weights,
        cmap="Blues",
        vmin=0.0,
        vmax=1.0,
        aspect="auto",
        interpolation="nearest",
        extent=(0.0, seconds, len(weights) - 0.5, -0.5),
    )
    _label_axes(below, target_tokens)
    below.set_xlabel(f"seconds\n{visible(title)}", fontsize=9, color=GREY)
    bar = figure.colorbar(image, ax=below, fraction=0.03, pad=0.015, ticks=[0, 0.5, 1])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8)
    return figure


def _draw_spectrogram(axes: "Axes", frames: NDArray[np.float32], seconds: float) -> None:
    """Draw (F, bands) with time to the right and frequency upwards, without the outermost 1 %."""
    quiet, loud = np.percentile(frames, (1, 99))
    axes.imshow(
        frames.T,
        cmap="magma",
        vmin=float(quiet),
        vmax=float(max(loud, quiet + 1e-6)),
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        extent=(0.0, seconds, -0.5, frames.shape[1] - 0.5),
    )
    axes.set_ylabel("mel band", fontsize=9, color=GREY)
    axes.tick_params(labelsize=8, length=0, labelbottom=False)
    axes.spines[:].set_visible(False)


def _label_axes(axes: "Axes", tokens: list[str]) -> None:
    """Write the tokens beside their rows, each n-th where they stand too close."""
    every = -(-len(tokens) // max(int(_height(tokens) / (0.6 * ROW)), 1))
    shown = range(0, len(tokens), every)
    axes.set_yticks(shown, [visible(tokens[place]) for place in shown])
    if every == 1:
        axes.set_yticks([place - 0.5 for place in range(1, len(tokens))], minor=True)
        axes.grid(which="minor", axis="y", color="#e3e6ea", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.tick_params(axis="y", labelsize=9)
    axes.tick_params(axis="x", labelsize=8, length=3, color="#9aa3ad")
    axes.spines[:].set_color("#9aa3ad")


def _height(tokens: list[str]) -> float:
    """Inches for the rows of all tokens."""
    return float(min(max(ROW * len(tokens), 0.8), TALLEST))


def _figure(seconds: float, tokens: list[str]) -> "Figure":
    """Make a figure as large as the sound and the tokens need."""
    beside = LETTER * max((len(token) for token in tokens), default=0)
    width = min(max(SECOND * seconds, NARROWEST), WIDEST) + beside + 0.9
    return new_figure(width, SPECTROGRAM + _height(tokens) + 0.9)
