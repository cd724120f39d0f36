"""Prefixes side by side, K for each of B blocks (sources, or groups of one), and how they grow."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tandem.core.precision import wide_type
from tandem.core.types import SPECIAL_IDS

BLOCK = 64
"""Symbols that are looked at together."""

FIRST_ROOM = 64
"""Symbols of an output that there is room for at first."""

ROWS = 16
"""Rows that a CPU goes through together; few enough to stay in its cache."""


def expand(scores: Tensor, allowed: Tensor, normalizer: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The best 2K extensions of each block: scores, parents (0..K-1) and symbols (B, 2K).

    Twice the width, so that K open ones remain even if K of them end.

    :param scores: (B, K) of the prefixes.
    :param allowed: (B x K, V) of each prefix's next symbol.
    :param normalizer: (B x K, 1) what ``allowed`` exceeds log-probabilities by.
    """
    blocks, width = scores.shape
    few = min(2 * width, allowed.size(1))
    top, symbols = largest(allowed, few)  # no row can place more than 2K among the best 2K
    total = scores.reshape(-1, 1) + (top - normalizer)  # (N, few)
    best, index = total.view(blocks, -1).topk(min(2 * width, width * few), dim=1)  # (B, 2K)
    return best, index // few, symbols.view(blocks, -1).gather(1, index)


def log_normalizer(logits: Tensor) -> Tensor:
    """``log sum_v exp x_v`` of logits (N, V), at least float32: (N, 1).

    By way of softmax, whose kernel for the CPU takes a quarter of ``logsumexp``'s time.
    """
    dtype = wide_type(logits.dtype)
    parts = []
    for rows in logits.split(rows_together(logits)):
        probability = rows.softmax(1, dtype=dtype).amax(1, keepdim=True)  # at least 1 / V
        parts.append(rows.amax(1, keepdim=True) - probability.log())
    return torch.cat(parts)


def rows_together(scores: Tensor) -> int:
    """How many rows of scores (N, V) to go through at a time: on a CPU few, elsewhere all."""
    return ROWS if scores.device.type == "cpu" else len(scores)


def largest(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest of each row and their places; if it is one, the first of equals.

    On a CPU, where it means going through a row number by number, only blocks are looked at whose
    largest is among the ``count`` best of all blocks: no other one can hold what is looked for.

    :param scores: (N, V).
    """
    blocks = scores.size(1) // BLOCK
    if scores.device.type != "cpu" or blocks < 2 * count:
        return _top(scores, count)
    head, rest = scores[:, : blocks * BLOCK].unflatten(1, (blocks, BLOCK)), blocks * BLOCK
    chosen = _top(head.amax(2), count)[1] * BLOCK  # (N, count)
    inside = torch.arange(BLOCK)
    places = (chosen.unsqueeze(2) + inside).flatten(1)  # (N, count x BLOCK)
    if rest < scores.size(1):
        behind = torch.arange(rest, scores.size(1)).expand(len(scores), -1)
        places = torch.cat((places, behind), dim=1)
    top, order = _top(scores.gather(1, places), count)
    return top, places.gather(1, order)


def _top(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The same, number by number."""
    if count == 1:
        best, places = scores.max(1, keepdim=True)
    else:
        best, places = scores.topk(count, dim=1)
    return best, places


def choose(history: Tensor, order: Tensor) -> Tensor:
    """Choose among axis 1 of history (B, K, L) by order (B, K')."""
    return history.gather(1, order.unsqueeze(2).expand(-1, -1, history.size(2)))


def extend(
    history: Tensor, parents: Tensor, symbols: Tensor, position: int, max_length: int
) -> Tensor:
    """Histories of the parents with the new symbol at ``position``."""
    extended = choose(with_room(history, position, max_length), parents)
    extended[:, :, position] = symbols
    return extended


def no_outputs(like: Tensor, *shape: int) -> Tensor:
    """Outputs (*shape, 0) that are still empty; see :func:`with_room`."""
    return like.new_zeros((*shape, 0), dtype=torch.long)


def with_room(outputs: Tensor, position: int, max_length: int) -> Tensor:
    """Outputs (..., length) with a place at ``position``: if they are full, twice as many.

    So memory follows what is written, and not how much might be.
    """
    length = outputs.size(-1)
    if position < length:
        return outputs
    more = min(max_length, max(2 * length, FIRST_ROOM, position + 1)) - length
    return F.pad(outputs, (0, more), value=SPECIAL_IDS.pad)
