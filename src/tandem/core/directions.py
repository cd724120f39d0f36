"""Which way scores are better."""

from typing import Literal

Direction = Literal["min", "max"]
"""Whether less or more of a score is better."""

LOSS_DIRECTIONS: dict[str, Direction] = {
    "loss": "min",
    "perplexity": "min",
    "token_accuracy": "max",
    "ctc_loss": "min",
}
"""Of what teacher forcing measures, by the names under which it is logged behind the split."""


def is_better(score: float, other: float, direction: Direction, *, by: float = 0.0) -> bool:
    """Whether a score is better than another one, by more than so much."""
    return score > other + by if direction == "max" else score < other - by
