"""Listening to a search: which prefixes it extends, by which symbols, and what the model says."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tandem.core.state import State
from tandem.search.base import Step


@dataclass(frozen=True)
class Heard:
    """One step: N prefixes that are asked how they go on."""

    position: int
    """Symbols that each of them has."""
    parents: Tensor
    """(N,) which row of the step before each one extends; at position 0 its own source."""
    tokens: Tensor
    """(N,) its last symbol, at position 0 ``bos``; a row that reads ``eos`` is no open prefix: it
    has ended or is given up, and stands there because a batch keeps its shape."""
    scores: Tensor
    """(N, V) what the model and the scorers say of its next symbol, before the rules."""
    step: Step

    def log_probs(self) -> Tensor:
        """The scores as what a search sums, at least float32: (N, V)."""
        return self.step.log_probs(self.scores)


Listener = Callable[[Heard], None]
"""Is told each step of a search before the search goes on."""


def listen(step: Step, state: State, listener: Listener, *, first: Tensor) -> tuple[Step, State]:
    """The same step and state for any search, of which a listener hears.

    Nothing is changed: the state carries beside its own rows the number that each row had at the
    last step, which tells where it comes from once the search has moved them.

    :param state: before the first symbol.
    :param first: (B,) see :class:`tandem.search.Search`.
    """

    def scores(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        own, rows, position = state.carry
        said, own = step.scores(tokens, own)
        listener(Heard(position, rows, tokens, said, step))
        return said, State(carry=(own, _numbered(tokens), position + 1))

    return replace(step, scores=scores), State(carry=(state, _numbered(first), 0))


def _numbered(rows: Tensor) -> Tensor:
    """(N, ...) -> 0 to N - 1."""
    return torch.arange(len(rows), device=rows.device)
