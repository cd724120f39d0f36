"""No n-gram twice: Paulus et al. (2018), section 2.5, with n = 3."""

from torch import Tensor

from tandem.search.options import checked_count
from tandem.search.rules.base import Rule, forbid


class NoRepeatNgram(Rule):
    """No ``size`` symbols in a row come twice in an output.

    :param size: n, at least 1.
    """

    def __init__(self, *, size: int) -> None:
        self.size = checked_count("rule.no_repeat_ngram.size", size, least=1)

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid what would end an n-gram that the row has already."""
        if history.size(1) < self.size:
            return scores
        ngrams = history.unfold(1, self.size, 1)  # (N, t - n + 1, n)
        last = history[:, history.size(1) - self.size + 1 :]  # (N, n - 1)
        begun = (ngrams[:, :, :-1] == last.unsqueeze(1)).all(2)  # (N, t - n + 1)
        rows, places = begun.nonzero(as_tuple=True)
        return forbid(scores, rows, ngrams[rows, places, -1])
