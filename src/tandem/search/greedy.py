"""The most probable symbol at each step."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import Search, Step, checked_ctc_weight, until_eos
from tandem.search.prefixes import largest, log_normalizer
from tandem.search.processors import output_rules, process


class GreedySearch(Search):
    """Takes the best symbol and never looks back; finished sources leave the batch.

    :param ctc_weight: see :class:`Search`.
    :param min_length: for this and the following ones see :func:`output_rules`.
    """

    width = 1

    def __init__(
        self,
        *,
        ctc_weight: float | None,
        min_length: int = 0,
        no_repeat_ngram: int = 0,
        forced_prefix: Sequence[int] = (),
        banned: Sequence[Sequence[int]] = (),
    ) -> None:
        self.ctc_weight = checked_ctc_weight(ctc_weight)
        self.rules = output_rules(
            min_length=min_length,
            no_repeat_ngram=no_repeat_ngram,
            forced_prefix=forced_prefix,
            banned=banned,
        )

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; one hypothesis a source, scored by its log-probability."""
        tokens = first
        live = torch.arange(len(first), device=first.device)  # the source of each remaining row
        outputs = first.new_full((len(first), max_length), SPECIAL_IDS.pad)
        scores = torch.zeros(len(first), dtype=torch.float64, device=first.device)
        for position in range(max_length):
            found, state = step.scores(tokens, state)  # (B', V)
            allowed = found
            if self.rules:  # else the written symbols would be gathered for nothing
                allowed = process(self.rules, found, outputs[live, :position])
            best, symbols = largest(allowed, 1)  # (B', 1) each
            log_probs = best if step.normalized else best - log_normalizer(found)
            scores[live] += log_probs.squeeze(1).double()
            tokens = symbols.squeeze(1)
            outputs[live, position] = tokens
            going = tokens != SPECIAL_IDS.eos
            if not going.all():
                rows = going.nonzero().squeeze(1)
                live, tokens, state = live[rows], tokens[rows], state.select(rows, self.width)
            if not len(live):
                break
        return [
            [Hypothesis(tokens=until_eos(row), score=score)]
            for row, score in zip(outputs.tolist(), scores.tolist(), strict=True)
        ]
