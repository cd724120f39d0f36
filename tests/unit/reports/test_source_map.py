"""Attention over what was read, whatever it is."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tandem.core.errors import InputError
from tandem.reports import draw_attention

pytestmark = pytest.mark.filterwarnings("error")


def seen(media: str, positions: int, **source: Any) -> Any:
    shown = {"media": media, "tokens": None, "preview": None, "grid": None, **source}
    return SimpleNamespace(
        source=SimpleNamespace(**shown),
        outputs=[SimpleNamespace(text="x", tokens=["x", "<eos>"])],
        arrays={"decoder/attention": np.full((2, positions), 1 / positions)},
        lacks={},
    )


@pytest.mark.parametrize(
    ("inspected", "axes"),
    [
        (seen("text", 3, tokens=["a", "b", "<eos>"]), 2),
        (seen("image", 4, preview=(np.zeros((8, 8), np.uint8), 0.0), grid=(2, 2)), 4),
        (seen("audio", 5, preview=(np.ones((20, 4)), 0.2)), 3),
        (seen("sensor", 5), 2),
    ],
    ids=["text", "image", "audio", "own"],
)
def test_each_kind_has_its_picture(inspected: Any, axes: int) -> None:
    figure = draw_attention(inspected)
    assert len(figure.axes) == axes
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_numbers_where_positions_are_no_symbols() -> None:
    axes = draw_attention(seen("text", 2, tokens=["a", "b", "c"])).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2"]


def test_no_weights() -> None:
    without = seen("text", 3)
    without.arrays, without.lacks = {}, {"decoder_attention": "This model has no attention."}
    with pytest.raises(InputError, match=r"draw: This model has no attention; look at other"):
        draw_attention(without)
