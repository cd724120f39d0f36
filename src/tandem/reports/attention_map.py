"""Attention weights as a picture."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tandem.core.errors import InputError
from tandem.core.files import write_atomically
from tandem.reports.figure import new_figure, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 0.30
"""Inches for a token; labels of 9 points fit beside each other."""
LABEL = 0.075
"""Inches for a letter of a label."""
LONGEST = 15.0
"""Inches for all tokens of one side; more of them than fit get less room and fewer labels."""


@dataclass(frozen=True)
class AttentionMap:
    """Where the decoder looked while it wrote one output."""

    source_tokens: list[str]
    """S labels, one for each position of the memory."""
    target_tokens: list[str]
    """T labels of what was written."""
    weights: NDArray[np.floating]
    """(T, S), rows sum to one."""


Drawing: TypeAlias = "Callable[[str], Figure] | None"
"""Draws an attention map under a title; None where an attention has no weights."""


def draw(attention: AttentionMap, title: str) -> "Figure":
    """Draw the weights: the source along the top, the output downwards."""
    weights = attention.weights
    columns, rows = len(attention.source_tokens), len(attention.target_tokens)
    if weights.shape != (rows, columns):
        raise InputError(
            f"An attention map needs weights of shape ({rows}, {columns}), one row an output token "
            f"and one column a source token, but has weights of shape {weights.shape}; draw only "
            "maps that fit."
        )
    figure = _figure(attention)
    axes = figure.add_subplot()
    image = axes.imshow(weights, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    axes.xaxis.tick_top()
    _label_axes(axes, attention)
    for spine in axes.spines.values():
        spine.set_color("#9aa3ad")
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=18, pad=0.02, ticks=[0, 0.5, 1])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8)
    axes.set_xlabel(visible(title), fontsize=9, color="#5b6570", labelpad=8)
    return figure


def save(figure: "Figure", path: Path) -> None:
    """Write a PNG whole or not at all, whatever letters the fonts lack."""
    write_atomically(path, png(figure, dpi=150))


def _label_axes(axes: "Axes", attention: AttentionMap) -> None:
    """Write the tokens along both sides, and lines between them while there is room."""
    across, down = attention.source_tokens, attention.target_tokens
    shown_across, shown_down = (
        range(0, len(across), _every(across)),
        range(0, len(down), _every(down)),
    )
    axes.xaxis.tick_top()
    axes.set_xticks(
        shown_across,
        [visible(across[place]) for place in shown_across],
        rotation=55,
        ha="left",
        rotation_mode="anchor",
    )
    axes.set_yticks(shown_down, [visible(down[place]) for place in shown_down])
    axes.tick_params(length=0, labelsize=9)
    if _every(across) == _every(down) == 1:
        between_columns, between_rows = (np.arange(0.5, len(side) - 1) for side in (across, down))
        line: dict[str, Any] = {"colors": "#e3e6ea", "linewidth": 0.6}
        axes.vlines(between_columns, -0.5, len(down) - 0.5, **line)
        axes.hlines(between_rows, -0.5, len(across) - 0.5, **line)


def _cell(tokens: list[str]) -> float:
    """Inches for one token."""
    return min(CELL, LONGEST / max(len(tokens), 1))


def _every(tokens: list[str]) -> int:
    """Label each token, or each n-th where they stand too close."""
    return math.ceil(0.6 * CELL / _cell(tokens))


def _figure(attention: AttentionMap) -> "Figure":
    """Make a figure as large as its tokens and their labels need."""
    across, down = attention.source_tokens, attention.target_tokens
    beside = LABEL * max((len(token) for token in down), default=0)
    above = LABEL * 0.85 * max((len(token) for token in across), default=0)
    width = _cell(across) * len(across) + beside + above * 0.7 + 1.1
    height = _cell(down) * len(down) + above + 0.8
    return new_figure(max(width, 3.0), max(height, 2.0))


def visible(token: str) -> str:
    """Make a token visible: spaces and line ends as signs, dollars not as formulas."""
    shown = token.replace("$", r"\$").replace("\n", "↵").replace("\t", "⇥")
    return shown.replace(" ", "␣") if not shown.strip() else shown
