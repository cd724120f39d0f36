"""Outputs drawn at random, as the model finds them probable."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import Search, Step, checked_count, checked_ctc_weight, until_eos
from tandem.search.prefixes import BLOCK, log_normalizer, rows_together
from tandem.search.processors import output_rules, process
from tandem.search.truncation import sampling_shape


class Sampling(Search):
    """Draws ``num_samples`` outputs of every source, symbol by symbol and with replacement.

    The rules for outputs, the temperature, top k, top p and min p change the distribution in this
    order; what is left of it is scaled to sum to 1. The score of an output is its log-probability
    under the model itself, so the samples, which are given the best first, can be compared with
    what another search finds.

    Each call draws anew from the seed, on the CPU, so that the same batch gets the same outputs
    on every device. They do depend on the place of a source in its batch, and so on the batching.

    :param num_samples: outputs of each source.
    :param seed: of the random numbers.
    :param temperature: for this, ``top_k``, ``top_p``, ``min_p`` see :func:`sampling_shape`.
    :param ctc_weight: see :class:`Search`.
    :param min_length: for this and the following ones see :func:`output_rules`.
    """

    def __init__(
        self,
        *,
        num_samples: int,
        seed: int,
        temperature: float,
        top_k: int,
        top_p: float,
        min_p: float,
        ctc_weight: float | None,
        min_length: int,
        no_repeat_ngram: int,
        forced_prefix: Sequence[int],
        banned: Sequence[Sequence[int]],
    ) -> None:
        self.width = checked_count("num_samples", num_samples, least=1)
        self.seed = checked_count("seed", seed, least=0)
        self.ctc_weight = checked_ctc_weight(ctc_weight)
        self.processors = (
            *output_rules(
                min_length=min_length,
                no_repeat_ngram=no_repeat_ngram,
                forced_prefix=forced_prefix,
                banned=banned,
            ),
            *sampling_shape(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p),
        )

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; ``num_samples`` hypotheses a source, some of them perhaps equal."""
        sources, width, device = len(first), self.width, first.device
        generator = torch.Generator().manual_seed(self.seed)
        live = torch.arange(sources, device=device)  # the source of each block of rows
        state = state.repeat(width)
        tokens = first.repeat_interleave(width)  # (N,)
        ended = torch.zeros_like(tokens, dtype=torch.bool)
        outputs = first.new_full((sources, width, max_length), SPECIAL_IDS.pad)
        scores = torch.zeros((sources, width), dtype=torch.float64, device=device)
        for position in range(max_length):
            found, state = step.scores(tokens, state)  # (N, V)
            history = outputs[live, :, :position].flatten(0, 1)  # (N, t)
            chances = torch.rand((sources, width), generator=generator, dtype=torch.float64)
            shaped = process(self.processors, found, history)
            tokens = draw(shaped, chances.to(device)[live].flatten())
            chosen = found.gather(1, tokens.unsqueeze(1)).squeeze(1)
            log_probs = chosen if step.normalized else chosen - log_normalizer(found).squeeze(1)
            scores[live] += log_probs.double().masked_fill(ended, 0.0).view(-1, width)
            tokens = tokens.masked_fill(ended, SPECIAL_IDS.eos)
            outputs[live, :, position] = tokens.view(-1, width)
            ended = tokens == SPECIAL_IDS.eos
            done = ended.view(-1, width).all(1)  # (B',)
            if done.any():
                kept = (~done).nonzero().squeeze(1)
                live, state = live[kept], state.select(kept, width)
                tokens, ended = (part.view(-1, width)[kept].flatten() for part in (tokens, ended))
            if not len(live):
                break
        return _hypotheses(outputs, scores)


def draw(scores: Tensor, chances: Tensor) -> Tensor:
    """One symbol (N,) of each row, by the inverse of its distribution function.

    :param scores: (N, V) of any normalization; what is ``-inf`` is drawn only where all is, and
        then ``eos`` is.
    :param chances: (N,) float64, even in [0, 1).
    """
    rows = rows_together(scores)
    parts = zip(scores.split(rows), chances.split(rows), strict=True)
    return torch.cat([_draw(*part) for part in parts])


def _draw(scores: Tensor, chances: Tensor) -> Tensor:
    """The same: a block of symbols by the sums of all blocks, then a symbol by the sums in it."""
    padded = F.pad(scores, (0, -scores.size(1) % BLOCK), value=-torch.inf)
    dtype = torch.promote_types(scores.dtype, torch.float32)
    probabilities = padded.softmax(1, dtype=dtype).nan_to_num(0.0).unflatten(1, (-1, BLOCK))
    weights = probabilities.sum(2)  # (N, V / BLOCK)
    total = weights.sum(1, dtype=torch.float64)
    block, rest = _place(weights, chances * total)
    symbol, _ = _place(probabilities[torch.arange(len(block), device=block.device), block], rest)
    return torch.where(total > 0, block * BLOCK + symbol, SPECIAL_IDS.eos)


def _place(weights: Tensor, aims: Tensor) -> tuple[Tensor, Tensor]:
    """Where the sums of weights (N, W) first exceed aims (N,), and how far before that they lie.

    An aim that rounding put behind the end is at the last weight above 0.
    """
    sums = weights.double().cumsum(1)
    place = torch.searchsorted(sums, aims.unsqueeze(1), right=True)
    last = torch.searchsorted(sums, sums[:, -1:].contiguous())
    place = torch.minimum(place, last)  # (N, 1)
    before = (sums - weights).gather(1, place)
    return place.squeeze(1), (aims - before.squeeze(1)).clamp(min=0.0)


def _hypotheses(outputs: Tensor, scores: Tensor) -> list[list[Hypothesis]]:
    """As lists, the best first.

    :param outputs: (B, K, max_length)
    :param scores: (B, K)
    """
    return [
        sorted(
            (
                Hypothesis(tokens=until_eos(row), score=score)
                for row, score in zip(rows, numbers, strict=True)
            ),
            key=lambda hypothesis: -hypothesis.score,
        )
        for rows, numbers in zip(outputs.tolist(), scores.tolist(), strict=True)
    ]
