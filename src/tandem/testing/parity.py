"""A target fed at once, in chunks or symbol by symbol gives the same."""

import dataclasses

import torch

from tandem.core.types import FIRST_OUTPUT
from tandem.testing.case import Case
from tandem.testing.compare import expect, expect_equal
from tandem.testing.sources import VOCABULARY

CARRY_ON = (
    "a decoder and its attention must go on where the state that they returned ends (position, "
    "hidden state, keys and values, weights so far)"
)


@torch.inference_mode()
def calls_are_independent(case: Case) -> None:
    """Nothing but the state leads from one call to the next."""
    expected, _, _ = case.feed(case.target, case.start())
    state = case.start()
    other = dataclasses.replace(case, source=case.changed)
    other.feed(case.target.flip(1), other.start())
    expect_equal(
        case.feed(case.target, state)[0],
        expected,
        "A part must keep nothing on itself between calls, but reading another source changed what "
        "follows from a state made before; put it into the state that start and forward return.",
    )


@torch.inference_mode()
def steps_equal_one_pass(case: Case) -> None:
    """Search and training see the same model."""
    steps, _ = case.feed_steps(case.target, case.start())
    expect_equal(
        steps,
        case.model(case.source, case.mask, case.target),
        "A target fed symbol by symbol must get the same scores as at once, but it does not: "
        f"{CARRY_ON}.",
    )


@torch.inference_mode()
def chunks_equal_one_pass(case: Case) -> None:
    """Scores and weights of pieces of 3, 1 and more symbols are those of the whole."""
    state, logits, weights = case.start(), [], []
    for chunk in case.target.tensor_split((3, 4), dim=1):
        some, seen, state = case.feed(chunk, state)
        logits.append(some)
        weights.append(seen)
    whole, whole_weights, _ = case.feed(case.target, case.start())
    expect_equal(
        torch.cat(logits, 1),
        whole,
        f"A target fed in pieces must get the same scores as at once, but it does not: {CARRY_ON}.",
    )
    promise = "Attention weights of a target fed in pieces must be the same as at once"
    shown = [seen for seen in weights if seen is not None]
    if whole_weights is None or len(shown) < len(weights):
        expect(whole_weights is None and not shown, f"{promise}, but some calls give none.")
    else:
        expect_equal(torch.cat(shown, 1), whole_weights, f"{promise}, but they differ.")


@torch.inference_mode()
def a_symbol_changes_what_follows(case: Case) -> None:
    """The decoder reads its input."""
    other = case.target.clone()
    other[:, 2] = (other[:, 2] + 1) % VOCABULARY
    before = case.model(case.source, case.mask, case.target)
    after = case.model(case.source, case.mask, other)
    expect(
        bool((before - after)[:, 2, FIRST_OUTPUT:].abs().amax(-1).min() > 1e-6),
        "A target symbol must change what follows it, but another one gave the same scores.",
    )


@torch.inference_mode()
def nothing_follows_from_the_future(case: Case) -> None:
    """Training must not show the decoder what it is to predict."""
    other = case.target.clone()
    other[:, 3:] = (other[:, 3:] + 1) % VOCABULARY
    expect_equal(
        case.model(case.source, case.mask, other)[:, :3],
        case.model(case.source, case.mask, case.target)[:, :3],
        "A decoder must not see symbols to come, but other ones changed the scores before them; "
        "mask them in its self-attention or convolutions.",
    )
