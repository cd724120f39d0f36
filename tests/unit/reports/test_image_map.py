"""Attention over pictures: panels, places, what cannot be drawn."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread

from tandem.core.errors import InputError
from tandem.reports import draw_image, save

pytestmark = pytest.mark.filterwarnings("error")

WHITE = np.full((6, 8, 3), 255, dtype=np.uint8)


def even(rows: int, places: int = 4) -> np.ndarray:
    return np.full((rows, places), 1 / places)


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def test_one_panel_a_word_behind_the_picture() -> None:
    weights = np.array([[0.7, 0.1, 0.1, 0.1], [0.0, 0.0, 0.5, 0.5]])
    figure = draw_image(WHITE, ["a", "dog"], weights, (2, 2), "test, row 0")
    assert titles(figure) == ["picture", "a  70 %", "dog  50 %"]
    assert figure.get_supxlabel() == "test, row 0"
    picture, cover = figure.axes[2].images
    assert np.asarray(picture.get_array()).shape == (6, 8, 3)
    assert np.asarray(cover.get_array()).tolist() == [[0, 0], [1, 1]]  # relative to the largest
    assert tuple(cover.get_extent()) == tuple(picture.get_extent())


def test_the_cover_lies_where_the_weight_is() -> None:
    """Of 2 x 3 places all weight is on the last, so the lower right of the panel has colour."""
    weights = np.zeros((1, 6))
    weights[0, 5] = 1
    figure = draw_image(WHITE, ["a"], weights, (2, 3), "")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    box = figure.axes[1].get_window_extent()
    top = pixels.shape[0] - int(box.y1)
    inner = pixels[top + 4 : top + int(box.height) - 4, int(box.x0) + 4 : int(box.x1) - 4]
    height, width = inner.shape[:2]
    assert inner[-2, -2, 2] < 120  # orange has little blue
    for row, column in ((2, 2), (2, -2), (-2, 2), (height // 4, width // 2)):
        assert inner[row, column].min() > 250


def test_grey_picture_without_any_weight() -> None:
    figure = draw_image(WHITE[..., 0], ["a"], np.zeros((1, 4)), (2, 2), "")
    assert titles(figure) == ["picture", "a  0 %"]


def test_long_outputs_and_long_words() -> None:
    figure = draw_image(WHITE, ["x" * 50] * 40, even(40), (2, 2), "row 1")
    assert len(titles(figure)) == 37
    assert titles(figure)[1] == f"{'x' * 17}…  25 %"
    assert figure.get_supxlabel() == "row 1 (without the last 4 of 40 words)"
    assert figure.get_figwidth() < 15


@pytest.mark.parametrize("token", ["日本", "$x_1$", "▁ein", "\n", " ", "😀"])
def test_any_token_is_drawn_without_a_warning(token: str, tmp_path: Path) -> None:
    save(draw_image(WHITE, [token], even(1), (2, 2), token), tmp_path / "map.png")
    assert imread(tmp_path / "map.png").shape[0] > 100


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match=r"shape \(1, 6\).*grid 2 x 3, but they have \(1, 4\)"):
        draw_image(WHITE, ["a"], even(1), (2, 3), "")
    with pytest.raises(InputError, match=r"shape \(0, 4\), one row a word \(at least one\)"):
        draw_image(WHITE, [], np.zeros((0, 4)), (2, 2), "")
    with pytest.raises(InputError, match=r"\(H, W\) or \(H, W, 3\), but has \(6, 8, 2\); pass"):
        draw_image(WHITE[..., :2], ["a"], even(1), (2, 2), "")
