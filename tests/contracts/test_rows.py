"""The three verbs of search: repeat, reorder and select."""

import torch

WIDTH = 3
ROWS = torch.tensor([2, 0, 0, 4, 5, 3, 8, 8, 7])  # of 3 sources x 3, each from its own source


def tokens(length: int) -> torch.Tensor:
    """(9, length) symbols that differ from row to row."""
    return torch.randint(6, (9, length), generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_repeat_after_some_steps(case, equal) -> None:
    _, state = case.feed_steps(case.target[:, :2], case.start())
    one, _ = case.feed_steps(case.target[:, 2:], state)
    rest = case.target[:, 2:].repeat_interleave(WIDTH, 0)
    many, _ = case.feed_steps(rest, state.repeat(WIDTH))
    equal(many, one.repeat_interleave(WIDTH, 0))


@torch.inference_mode()
def test_hypotheses_do_not_see_each_other(case, equal) -> None:
    together, _, _ = case.feed(tokens(4), case.start(WIDTH))
    for place in range(WIDTH):
        alone, _, _ = case.feed(tokens(4)[place::WIDTH], case.start())
        equal(together[place::WIDTH], alone)


@torch.inference_mode()
def test_reorder_carries_each_hypothesis_along(case, equal) -> None:
    past, future = tokens(7)[:, :3], tokens(7)[:, 3:]
    _, state = case.feed_steps(past, case.start(WIDTH))
    moved, _ = case.feed_steps(future, state.reorder(ROWS))
    written, _, _ = case.feed(torch.cat((past[ROWS], future), 1), case.start(WIDTH))
    equal(moved, written[:, 3:])


@torch.inference_mode()
def test_reorder_at_every_step(case, equal) -> None:
    state, history = case.start(WIDTH), tokens(0)
    for step in tokens(5).unbind(1):
        history = torch.cat((history, step.unsqueeze(1)), 1)
        logits, state = case.model.step(step, state)
        written, _, _ = case.feed(history, case.start(WIDTH))
        equal(logits, written[:, -1])
        state, history = state.reorder(ROWS), history[ROWS]


@torch.inference_mode()
def test_select_equals_never_having_had_the_others(case, equal) -> None:
    kept = torch.tensor([0, 2])
    rows = torch.tensor([0, 1, 2, 6, 7, 8])
    _, state = case.feed_steps(tokens(5)[:, :2], case.start(WIDTH))
    selected, _ = case.feed_steps(tokens(5)[rows, 2:], state.select(kept, WIDTH))
    alone, _, _ = case.feed(tokens(5)[rows], case.start(WIDTH, sources=[0, 2]))
    equal(selected, alone[:, 2:])
