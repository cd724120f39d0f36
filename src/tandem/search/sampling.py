"""Outputs drawn at random, as the model finds them probable."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tandem.core.precision import wide_type
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import Search, Step, extend_step_by_step
from tandem.search.options import checked_count
from tandem.search.paths import Paths
from tandem.search.prefixes import BLOCK, rows_together
from tandem.search.truncation import sampling_shape


class Sampling(Search):
    """Draws ``num_samples`` outputs of every source, symbol by symbol and with replacement.

    The temperature, top k, top p and min p change what the rules leave of the distribution in this
    order; the rest of it is scaled to sum to 1. The score of an output is its log-probability
    under the model itself, so the samples, which are given the best first, can be compared with
    what another search finds.

    Each call draws anew from the seed, on the CPU, so that the same batch gets the same outputs
    on every device. They do depend on the place of a source in its batch, and so on the batching.

    :param num_samples: outputs of each source.
    :param seed: of the random numbers.
    :param temperature: for this, ``top_k``, ``top_p``, ``min_p`` see :func:`sampling_shape`.
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
    ) -> None:
        self.width = checked_count("search.num_samples", num_samples, least=1)
        self.seed = checked_count("search.seed", seed, least=0)
        self.shapes = sampling_shape(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; ``num_samples`` hypotheses a source, some of them perhaps equal."""
        generator = torch.Generator().manual_seed(self.seed)
        shape = (len(first), self.width)

        def choose(scores: Tensor, live: Tensor) -> Tensor:
            chances = torch.rand(shape, generator=generator, dtype=torch.float64)
            scores = scores.to(wide_type(scores.dtype))
            for reshape in self.shapes:
                scores = reshape(scores)
            return draw(scores, chances.to(live.device)[live].flatten())

        paths = Paths(choose, self.width, first=first, max_length=max_length)
        return extend_step_by_step(step, state, paths, first=first, max_length=max_length)


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
    dtype = wide_type(scores.dtype)
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
