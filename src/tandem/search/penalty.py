"""Length penalties, which make hypotheses of different lengths comparable."""

from tandem.core.errors import InputError
from tandem.search.options import in_range

KINDS = ("none", "average", "gnmt")


class LengthPenalty:
    """Divides log-probabilities; 1 for none, ``|y| ** alpha`` for average, and for gnmt
    ``((5 + |y|) / 6) ** alpha`` (Wu et al. 2016, eq. 14, without coverage).

    :param kind: none, average or gnmt.
    :param alpha: strength; larger favours longer outputs.
    """

    def __init__(self, kind: str, alpha: float) -> None:
        if kind not in KINDS:
            raise InputError(
                f"`search.length_penalty` must be one of {', '.join(KINDS)}, but is {kind!r}."
            )
        if not in_range(alpha, -10, 10):
            raise InputError(f"`search.alpha` must be from -10 to 10, but is {alpha!r}.")
        self.kind = kind
        self.alpha = alpha

    def __call__(self, length: int) -> float:
        """What the log-probability of an output of ``length`` symbols is divided by."""
        if self.kind == "none":
            return 1.0
        base = length if self.kind == "average" else (5 + length) / 6
        return float(base**self.alpha)
