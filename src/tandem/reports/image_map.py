"""Attention over a picture, word by word, as in Xu et al. (2015), figure 3."""

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tandem.core.errors import InputError
from tandem.reports.attention_map import visible
from tandem.reports.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

PANEL = 1.7
"""Inches of a panel's longer side."""
ACROSS = 6
"""Most panels in a row."""
MOST = 36
"""Most panels; words behind them are not drawn, which the title then says."""
LONGEST = 18
"""Letters of a word before it is cut."""
GREY, FRAME = "#5b6570", "#d5dae0"


def draw_image(
    image: NDArray[np.uint8],
    target_tokens: list[str],
    weights: NDArray[np.floating],
    grid: tuple[int, int],
    title: str,
) -> "Figure":
    """Draw the picture, and once more for each word with the weights laid over it.

    Weights are shown relative to the word's largest one, which stands behind the word in percent:
    a picture has so many places that the same scale for all words would show nothing of most.

    :param image: (H, W) grey or (H, W, 3) colours, as the frontend got it.
    :param target_tokens: T labels of what was written.
    :param weights: (T, S') rows sum to one; places row by row.
    :param grid: rows and columns of the places, whose product is S'.
    :param title: what was drawn.
    :raises InputError: if these sizes do not fit.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    _check(image, target_tokens, weights, grid)
    shown = min(len(target_tokens), MOST)
    columns = min(ACROSS, shown + 1)
    rows = math.ceil((shown + 1) / columns)
    figure = _figure(image, rows, columns)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[shown + 1 :]:
        panel.set_axis_off()
    _show(panels[0], image)
    panels[0].set_title("picture", fontsize=9, color=GREY, pad=3)
    for panel, token, row in zip(panels[1:], target_tokens[:shown], weights, strict=False):
        _show(panel, image)
        _cover(panel, row.reshape(grid), image)
        panel.set_title(f"{_label(token)}  {100 * row.max():.0f} %", fontsize=9, pad=3)
    left_out = len(target_tokens) - shown
    note = f" (without the last {left_out} of {len(target_tokens)} words)" if left_out else ""
    figure.supxlabel(visible(title) + note, fontsize=9, color=GREY)
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), _shades()),
        ax=list(panels),
        fraction=0.04,
        aspect=18,
        pad=0.02,
        ticks=[0, 1],
    )
    bar.outline.set_visible(False)
    bar.ax.set_yticklabels(["none", "most"])
    bar.ax.tick_params(length=0, labelsize=8)
    return figure


def _check(
    image: NDArray[np.uint8],
    target_tokens: list[str],
    weights: NDArray[np.floating],
    grid: tuple[int, int],
) -> None:
    """Refuse what does not fit together."""
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise InputError(
            "A picture under attention must have the shape (H, W) or (H, W, 3), but has "
            f"{image.shape}; pass grey or three colours."
        )
    expected = (len(target_tokens), grid[0] * grid[1])
    if not target_tokens or weights.shape != expected:
        raise InputError(
            f"Attention over a picture needs weights of shape {expected}, one row a word (at least "
            f"one) and one column a place of the grid {grid[0]} x {grid[1]}, but they have "
            f"{weights.shape}; draw only what fits."
        )


def _figure(image: NDArray[np.uint8], rows: int, columns: int) -> "Figure":
    """Make a figure whose panels have the picture's shape."""
    height, width = image.shape[:2]
    scale = PANEL / max(height, width)
    across = max(width * scale, 0.8 * PANEL)  # room for the word above
    return new_figure(columns * (across + 0.1) + 0.9, rows * (height * scale + 0.35) + 0.4)


@functools.cache
def _shades() -> "Colormap":
    """From nothing over a place without weight to a cover over the place with the most."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", ["#e8590c00", "#e8590cdd"])


def _show(panel: "Axes", image: NDArray[np.uint8]) -> None:
    """Draw the picture in a thin frame."""
    panel.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    panel.set_xticks([])
    panel.set_yticks([])
    for spine in panel.spines.values():
        spine.set_color(FRAME)


def _cover(panel: "Axes", weights: NDArray[np.floating], image: NDArray[np.uint8]) -> None:
    """Lay weights (rows, columns) over the whole picture, blended between places."""
    height, width = image.shape[:2]
    most = float(weights.max())
    relative = weights / most if most > 0 else weights
    panel.imshow(
        relative,
        cmap=_shades(),
        vmin=0.0,
        vmax=1.0,
        interpolation="bilinear",
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )


def _label(token: str) -> str:
    """Make a token visible and short."""
    return visible(token if len(token) <= LONGEST else f"{token[: LONGEST - 1]}…")
