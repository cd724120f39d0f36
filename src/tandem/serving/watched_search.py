"""A search that somebody watches: what it has written so far is told, and it can be given up."""

from collections.abc import Callable
from dataclasses import replace
from typing import final

from torch import Tensor

from tandem.core.state import State
from tandem.core.types import Hypothesis
from tandem.search import Search
from tandem.search.base import Step


@final
class WatchedSearch(Search):
    """Another search, of which each step is told to a function before it is made.

    :param search: what searches.
    :param watch: gets the tokens (N,) that the model reads at this step; what it raises ends the
        search.
    """

    def __init__(self, search: Search, watch: Callable[[Tensor], None]) -> None:
        self.search, self.watch = search, watch
        self.width = search.width

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`."""

        def scores(tokens: Tensor, state: State) -> tuple[Tensor, State]:
            self.watch(tokens)
            return step.scores(tokens, state)

        return self.search(replace(step, scores=scores), state, first=first, max_length=max_length)
