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
