"""Which of two validations found better weights."""

import math
from collections.abc import Mapping
from typing import NamedTuple, SupportsFloat

from tandem.core.directions import Direction
from tandem.core.errors import InputError

LOSS = "val/loss"
"""What decides between equal scores."""


class Quality(NamedTuple):
    """What a validation found of the weights; of two the larger is the better one.

    Scores are compared, and of equal ones the losses, so that a score that stands still, as BLEU
    does at 0 for a while, leaves the choice to the loss.
    """

    score: float
    """A larger one is better: the negative of a score of which less is better."""
    loss: float
    """The negative of the validation's loss; 0 if there is none."""

    def logged(self, mode: Direction) -> float:
        """The score as it is logged."""
        return self.score if mode == "max" else -self.score

    def improves(self, best: "Quality | None", min_delta: float = 0.0) -> bool:
        """Whether this is better than the best so far.

        :param min_delta: the score has to be better by more than this, or equal.
        """
        if best is None:
            return True
        return self.score > best.score + min_delta or (self.score == best.score and self > best)


def quality_of(values: Mapping[str, SupportsFloat], *, monitor: str, mode: Direction) -> Quality:
    """The quality of a validation, in which what is not a number is the worst.

    :param values: what the validation logged.
    :param monitor: the name of the score.
    :param mode: which way it is better.
    :raises InputError: if the score is not among the values.
    """
    if monitor not in values:
        logged = ", ".join(name for name in values if name.startswith("val/"))
        raise InputError(
            f"The monitor {monitor} is not among what validation logs ({logged}); choose one of "
            "them."
        )
    score = float(values[monitor])
    loss = float(values.get(LOSS, 0.0))
    signed = score if mode == "max" else -score
    return Quality(
        -math.inf if math.isnan(signed) else signed, -math.inf if math.isnan(loss) else -loss
    )
