"""A sample of the learning grid, in which each option appears."""

import pytest

TEXTS = [(4, 8, 4), (7, 5, 5, 6)]


@pytest.fixture(scope="module")
def composed(grid):
    return grid.compose_options(grid.OVERRIDES, grid.MEDIA_OVERRIDES)


def from_text(grid) -> list[tuple[str, str, str, str]]:
    """Every encoder, decoder and attention at least once."""
    count = max(len(grid.options(group)) for group in grid.GROUPS)
    return grid.spread(["text"], count, seed=0)


def from_other_sources(grid) -> list[tuple[str, str, str, str]]:
    """Every other frontend and every encoder at least once."""
    frontends = [name for name in grid.options("frontend") if name != "text"]
    return grid.spread(frontends, max(len(frontends), len(grid.options("encoder"))), seed=0)


def test_the_samples_have_every_option(grid) -> None:
    for place, group in enumerate(grid.GROUPS):
        every = set(grid.options(group))
        if group != "frontend":
            assert {names[place] for names in from_text(grid)} == every
        if group in ("frontend", "encoder"):
            assert {names[place] for names in from_other_sources(grid)} == every - {"text"}


def test_every_frontend_meets_every_option(grid) -> None:
    found = grid.combinations()
    assert len(set(found)) == len(found)
    for frontend in grid.options("frontend"):
        met = [names for names in found if names[0] == frontend]
        for place, group in enumerate(grid.GROUPS[1:], start=1):
            assert {names[place] for names in met} == set(grid.options(group))


def test_the_bound_is_out_of_reach_for_the_blind(grid, task) -> None:
    assert task.blind_loss() == pytest.approx(1.3697, abs=1e-4)
    assert task.order_blind_loss() == pytest.approx(0.4601, abs=1e-4)
    assert task.order_blind_loss() / 2 >= grid.BOUND


def test_a_picture_shows_its_string(task) -> None:
    """The brightest line of each square, read from left to right and from top to bottom."""
    source, mask = task.drawn(TEXTS)
    assert mask.all()
    squares = source.view(2, 2, 8, 2, 8).transpose(2, 3).reshape(2, 4, 8, 8)
    brightness, lines = squares.long().sum(-1).max(-1)  # (B, 4)
    assert (lines + 4).tolist() == [[4, 8, 4, 4 + lines[0, 3]], list(TEXTS[1])]
    assert (brightness > 8 * 100).tolist() == [[True, True, True, False], [True] * 4]


def test_a_recording_plays_its_string(task) -> None:
    """The loudest band of each stretch of frames."""
    source, mask = task.played(TEXTS)
    for recording, real, text in zip(source, mask, TEXTS, strict=True):
        loudest = recording[real].unflatten(0, (len(text), -1)).sum(1).argmax(-1)
        assert tuple((loudest + 4).tolist()) == text


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "steps"), [(from_text, 400), (from_other_sources, 240)])
def test_the_sample_learns(grid, composed, sample, steps) -> None:
    losses = {
        names: grid.learn(
            grid.combine(composed, dict(zip(grid.GROUPS, names, strict=True)), grid.SIZES), steps
        )
        for names in sample(grid)
    }
    assert {names: loss for names, loss in losses.items() if not loss < grid.BOUND} == {}
