"""The three verbs of search: repeat, reorder and select."""

import torch
from torch import Tensor

from tandem.testing.case import Case
from tandem.testing.compare import expect_equal
from tandem.testing.sources import VOCABULARY

WIDTH = 3
ROWS = (2, 0, 0, 4, 5, 3, 8, 8, 7)  # of 3 sources x 3, each from its own source
IN_STATE = (
    "everything that depends on the symbols so far belongs in State.carry, with a row for each "
    "hypothesis, and nothing else does"
)


def tokens(case: Case, length: int) -> Tensor:
    """(9, length) symbols that differ from row to row."""
    generator = torch.Generator().manual_seed(1)
    return torch.randint(VOCABULARY, (9, length), generator=generator).to(case.device)


def moves(case: Case) -> Tensor:
    """Of 3 sources x 3 hypotheses, the rows (9,) to carry on with."""
    return torch.tensor(ROWS, device=case.device)


@torch.inference_mode()
def repeat_after_some_steps(case: Case) -> None:
    """A state can become several hypotheses at any time."""
    _, state = case.feed_steps(case.target[:, :2], case.start())
    one, _ = case.feed_steps(case.target[:, 2:], state)
    rest = case.target[:, 2:].repeat_interleave(WIDTH, 0)
    many, _ = case.feed_steps(rest, state.repeat(WIDTH))
    expect_equal(
        many,
        one.repeat_interleave(WIDTH, 0),
        f"Repeated hypotheses must go on as the one they were, but they do not: {IN_STATE}.",
    )


@torch.inference_mode()
def hypotheses_do_not_see_each_other(case: Case) -> None:
    """Several hypotheses of a source get the scores that each gets alone."""
    together, _, _ = case.feed(tokens(case, 4), case.start(WIDTH))
    for place in range(WIDTH):
        alone, _, _ = case.feed(tokens(case, 4)[place::WIDTH], case.start())
        expect_equal(
            together[place::WIDTH],
            alone,
            "Hypotheses of one source must not see each other, but one alone gets other scores; "
            "rows lie source by source (b0 b0 b1 b1), and State.fixed has one row a source.",
        )


@torch.inference_mode()
def reorder_carries_each_hypothesis_along(case: Case) -> None:
    """Reordered rows go on as if they had been written there."""
    past, future = tokens(case, 7)[:, :3], tokens(case, 7)[:, 3:]
    _, state = case.feed_steps(past, case.start(WIDTH))
    moved, _ = case.feed_steps(future, state.reorder(moves(case)))
    written, _, _ = case.feed(torch.cat((past[moves(case)], future), 1), case.start(WIDTH))
    expect_equal(
        moved,
        written[:, 3:],
        f"A reordered hypothesis must take all of its past along, but it does not: {IN_STATE}.",
    )


@torch.inference_mode()
def reorder_at_every_step(case: Case) -> None:
    """The same, as a beam search does it."""
    state, history = case.start(WIDTH), tokens(case, 0)
    for step in tokens(case, 5).split(1, 1):
        history = torch.cat((history, step), 1)
        scores, state = case.feed_steps(step, state)
        written, _, _ = case.feed(history, case.start(WIDTH))
        expect_equal(
            scores[:, 0],
            written[:, -1],
            "A hypothesis reordered at every step must take all of its past along, but it does "
            f"not: {IN_STATE}.",
        )
        state, history = state.reorder(moves(case)), history[moves(case)]


@torch.inference_mode()
def select_equals_never_having_had_the_others(case: Case) -> None:
    """Finished sources can be dropped."""
    kept = torch.tensor([0, 2], device=case.device)
    rows = [0, 1, 2, 6, 7, 8]
    _, state = case.feed_steps(tokens(case, 5)[:, :2], case.start(WIDTH))
    selected, _ = case.feed_steps(tokens(case, 5)[rows, 2:], state.select(kept, WIDTH))
    alone, _, _ = case.feed(tokens(case, 5)[rows], case.start(WIDTH, sources=[0, 2]))
    expect_equal(
        selected,
        alone[:, 2:],
        "Dropping other sources must change nothing, but it does; State.fixed needs one row for "
        "each source and State.carry one for each hypothesis.",
    )
