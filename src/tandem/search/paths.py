"""Outputs that are written one symbol at a time and never given up."""

from collections.abc import Callable

import torch
from torch import Tensor

from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import Choice, Expansion, until_eos
from tandem.search.prefixes import no_outputs, with_room


class Paths(Expansion):
    """``rows`` outputs of each source, none of which looks at another.

    Where nothing may come next an output ends, with the score ``-inf``.

    :param choose: scores (N, V) and the sources of each K of these rows (B',) -> symbols (N,).
    :param first: (B,) see :class:`tandem.search.Search`, as for ``max_length``.
    """

    def __init__(
        self,
        choose: Callable[[Tensor, Tensor], Tensor],
        rows: int,
        *,
        first: Tensor,
        max_length: int,
    ) -> None:
        super().__init__(rows)
        self.choose = choose
        self.live = torch.arange(len(first), device=first.device)  # (B',) sources that go on
        self.ended = first.new_zeros(len(first) * rows, dtype=torch.bool)  # (N,)
        self.outputs, self.max_length = no_outputs(first, len(first), rows), max_length
        self.scores = torch.zeros((len(first), rows), dtype=torch.float64, device=first.device)

    def history(self, position: int) -> Tensor:
        """See :class:`Expansion`."""
        return self.outputs[self.live, :, :position].flatten(0, 1)

    def advance(self, allowed: Tensor, normalizer: Tensor, position: int) -> Choice:
        """See :class:`Expansion`."""
        tokens = self.choose(allowed, self.live)
        log_probs = allowed.gather(1, tokens.unsqueeze(1)) - normalizer  # (N, 1)
        tokens = tokens.where(log_probs.squeeze(1) > -torch.inf, SPECIAL_IDS.eos)
        log_probs = log_probs.double().masked_fill(self.ended.unsqueeze(1), 0.0)
        self.scores[self.live] += log_probs.view(-1, self.rows)
        tokens = tokens.masked_fill(self.ended, SPECIAL_IDS.eos)
        self.outputs = with_room(self.outputs, position, self.max_length)
        self.outputs[self.live, :, position] = tokens.view(-1, self.rows)
        self.ended = tokens == SPECIAL_IDS.eos
        return Choice(tokens, None, ~self.ended.view(-1, self.rows).all(1))

    def keep(self, sources: Tensor) -> None:
        """See :class:`Expansion`."""
        self.live = self.live[sources]
        self.ended = self.ended.view(-1, self.rows)[sources].flatten()

    def hypotheses(self) -> list[list[Hypothesis]]:
        """See :class:`Expansion`; some of a source's are perhaps equal."""
        return [
            sorted(map(Hypothesis, map(until_eos, rows), numbers), key=lambda one: -one.score)
            for rows, numbers in zip(self.outputs.tolist(), self.scores.tolist(), strict=True)
        ]
