"""New figures; matplotlib is loaded with the first one."""

import io
import warnings
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> "Figure":
    """Make an empty figure, in inches, that no global state of matplotlib knows.

    A notebook shows it when a cell ends with it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    setattr(figure, "_repr_png_", partial(png, figure))  # noqa: B010, which mypy does not know
    return figure


def png(figure: "Figure", *, dpi: int = 100) -> bytes:
    """Draw a figure once, where ``savefig`` would draw it twice, the first time for the layout.

    Letters that the fonts lack are left out without a warning.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for message in ("Glyph .* missing from", "Matplotlib currently does not support"):
        # For good: what `catch_warnings` restores is not restored right among threads.
        warnings.filterwarnings("ignore", message=message)
    picture = io.BytesIO()
    figure.set_dpi(dpi)
    FigureCanvasAgg(figure).print_png(picture, pil_kwargs={"compress_level": 1})
    return picture.getvalue()
