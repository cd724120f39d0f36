"""How the figures of ``docs/learn`` look: dark text on a light card, for light and dark pages."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tandem.reports.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CARD, TEXT, GREY = "#f6f8fa", "#1d2733", "#5b6875"
BLUE, ORANGE, GREEN, PURPLE = "#2f6db5", "#c46a1b", "#3d8a45", "#7d5aa8"
COLOURS = 96
"""Of a picture's palette, which keeps files small."""


def card(width: float, height: float) -> "Figure":
    """An empty figure, in inches, whose axes are in the style of the site."""
    import matplotlib as mpl

    mpl.rcParams.update(
        {
            **{"axes.facecolor": CARD, "figure.facecolor": CARD, "savefig.facecolor": CARD},
            **{"axes.edgecolor": GREY, "axes.labelcolor": TEXT, "text.color": TEXT},
            **{"xtick.color": GREY, "ytick.color": GREY, "font.size": 9.5},
            **{"axes.spines.top": False, "axes.spines.right": False},
        }
    )
    return new_figure(width, height)


def heat(
    axes: "Axes", weights: NDArray[Any], across: Sequence[str], down: Sequence[str], top: float = 1
) -> None:
    """Weights (T, S) as a picture: the source along the top, the output downwards."""
    axes.imshow(weights, cmap="Blues", vmin=0.0, vmax=top, aspect="auto")
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(across)), across, fontsize=9, color=TEXT)
    axes.set_yticks(range(len(down)), down, fontsize=9, color=TEXT)
    axes.tick_params(length=0)
    for place in np.arange(0.5, len(across) - 1):
        axes.axvline(place, color="#e3e6ea", linewidth=0.6)
    for place in np.arange(0.5, len(down) - 1):
        axes.axhline(place, color="#e3e6ea", linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)


def save(figure: "Figure", path: Path) -> None:
    """Write a small PNG, and say how large it is."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=110)
    picture = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")
