"""The most probable symbol at each step."""

from torch import Tensor

from tandem.core.state import State
from tandem.core.types import Hypothesis
from tandem.search.base import Search, Step, extend_step_by_step
from tandem.search.paths import Paths
from tandem.search.prefixes import largest


class GreedySearch(Search):
    """Takes the best symbol, the first of equals, and never looks back."""

    width = 1

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; one hypothesis a source, scored by its log-probability."""
        paths = Paths(_best, self.width, first=first, max_length=max_length)
        return extend_step_by_step(step, state, paths, first=first, max_length=max_length)


def _best(scores: Tensor, live: Tensor) -> Tensor:
    """The best symbol (N,) of each row of scores (N, V)."""
    return largest(scores)[1].squeeze(1)
