"""Maps of speech: one axis of time, labels, size, what cannot be drawn."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tandem.core.errors import InputError
from tandem.reports import draw_speech, save


def frames(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 20)).astype(np.float16)


def test_both_pictures_share_the_axis_of_time() -> None:
    figure = draw_speech(frames(10), 0.01, ["a", "b"], np.full((2, 3), 1 / 3), "test, row 0")
    above, below, _ = figure.axes
    assert above.images[0].get_extent() == [0.0, 0.1, -0.5, 19.5]
    assert below.images[0].get_extent() == [0.0, 0.1, 1.5, -0.5]
    assert above.get_xlim() == below.get_xlim() == (0.0, 0.1)
    assert np.asarray(above.images[0].get_array()).shape == (20, 10)
    assert above.images[0].origin == "lower"
    assert [label.get_text() for label in below.get_yticklabels()] == ["a", "b"]
    assert below.get_xlabel() == "seconds\ntest, row 0"


def test_size_follows_time_and_tokens_up_to_a_limit() -> None:
    def size(seconds: int, tokens: int) -> list[float]:
        weights = np.full((tokens, 4), 0.25)
        return list(
            draw_speech(frames(seconds), 1.0, ["x"] * tokens, weights, "").get_size_inches()
        )

    assert size(2, 5)[0] < size(4, 5)[0] < size(40, 5)[0] < 18
    assert size(2, 5)[1] < size(2, 20)[1] < size(2, 200)[1] < 16
    assert size(40, 5) == size(400, 5)


def test_many_tokens_have_fewer_labels() -> None:
    axes = draw_speech(frames(9), 0.01, ["x"] * 500, np.full((500, 2), 0.5), "").axes[1]
    assert 50 < len(axes.get_yticklabels()) < 100


@pytest.mark.parametrize("token", ["日本", "$x_1$", " ", "😀"])
def test_any_token_and_silence_are_drawn(token: str, tmp_path: Path) -> None:
    figure = draw_speech(np.zeros((1, 3)), 0.01, [token], np.ones((1, 1)), token)
    save(figure, tmp_path / "map.png")
    assert imread(tmp_path / "map.png").shape[0] > 100


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match=r"one row for each of 1 tokens, but has weights of shape"):
        draw_speech(frames(3), 0.01, ["a"], np.ones((2, 3)), "")
    with pytest.raises(InputError, match=r"needs frames of shape \(F, bands\), but has \(0, 20\)"):
        draw_speech(frames(0), 0.01, ["a"], np.ones((1, 3)), "")
