"""A sample of the learning grid, in which each option appears."""

import pytest

SAMPLE = 9


@pytest.fixture(scope="module")
def composed(grid):
    return grid.compose_options(grid.OVERRIDES)


def sample(grid) -> list[tuple[str, str, str]]:
    largest = max(len(grid.options(group)) for group in grid.GROUPS)
    return grid.spread(max(SAMPLE, largest), seed=0)


def test_the_sample_has_every_option(grid) -> None:
    for place, group in enumerate(grid.GROUPS):
        assert {names[place] for names in sample(grid)} == set(grid.options(group))


def test_the_bound_is_out_of_reach_for_the_blind(grid) -> None:
    assert grid.order_blind_loss() == pytest.approx(0.4603, abs=1e-3)
    assert grid.order_blind_loss() / 2 >= grid.BOUND


@pytest.mark.slow
def test_the_sample_learns(grid, composed) -> None:
    losses = {
        names: grid.learn(
            grid.combine(composed, dict(zip(grid.GROUPS, names, strict=True)), grid.SIZES)
        )
        for names in sample(grid)
    }
    assert {names: loss for names, loss in losses.items() if not loss < grid.BOUND} == {}
