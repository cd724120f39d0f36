"""Pictures: their size, their labels, what cannot be drawn."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tandem.core.errors import InputError
from tandem.reports import AttentionMap, draw, save

pytestmark = pytest.mark.filterwarnings("error")


def attention(columns: int, rows: int) -> AttentionMap:
    weights = np.full((rows, columns), 1 / columns)
    return AttentionMap([f"s{i}" for i in range(columns)], [f"t{i}" for i in range(rows)], weights)


def test_labels_and_weights() -> None:
    figure = draw(attention(3, 2), title="test, row 0")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["s0", "s1", "s2"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["t0", "t1"]
    assert axes.get_xlabel() == "test, row 0"
    assert np.asarray(axes.images[0].get_array()).shape == (2, 3)
    assert len(figure.axes) == 2  # the other one is the colour bar


def test_size_follows_the_tokens_up_to_a_limit() -> None:
    small, large, huge = (draw(attention(n, 4), "").get_figwidth() for n in (5, 30, 3000))
    assert small < large < huge < 20


def test_long_sides_show_fewer_labels() -> None:
    axes = draw(attention(500, 4), "").axes[0]
    assert 20 < len(axes.get_xticklabels()) < 100
    assert len(axes.get_yticklabels()) == 4


@pytest.mark.parametrize("token", ["日本", "ب", "$x_1$", "▁ein", "\n", " ", "##ing", "😀", "ก"])
def test_any_token_is_drawn_without_a_warning(token: str, tmp_path: Path) -> None:
    path = tmp_path / "attention" / "map.png"
    save(draw(AttentionMap([token], [token], np.ones((1, 1))), token), path)
    assert imread(path).shape[0] > 100
    assert [file.name for file in path.parent.iterdir()] == ["map.png"]


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match=r"shape \(1, 2\).*has weights of shape \(2, 1\)"):
        draw(AttentionMap(["a", "b"], ["c"], np.ones((2, 1))), "")
