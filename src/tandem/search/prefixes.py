"""Prefixes side by side, K for each of B blocks (sources, or groups of one), and how they grow."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from tandem.core.precision import wide_type
from tandem.core.types import SPECIAL_IDS

BLOCK = 64
"""Symbols that are looked at together."""

FIRST_ROOM = 64
"""Symbols of an output that there is room for at first."""

LOG2_E = math.log2(math.e)

ROWS = 32
"""Rows that a CPU goes through together; few enough to stay in its cache."""


def expand(scores: Tensor, allowed: Tensor, normalizer: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The best 2K extensions of each block: scores, parents (0..K-1) and symbols (B, 2K).

    Twice the width, so that K open ones remain even if K of them end.

    :param scores: (B, K) of the prefixes.
    :param allowed: (B x K, V) of each prefix's next symbol.
    :param normalizer: (B x K, 1) what ``allowed`` exceeds log-probabilities by.
    """
    sources, width = scores.shape
    vocabulary = allowed.size(1)
    if scores.device.type == "cpu" and vocabulary >= 4 * BLOCK:
        places = _places_of_best_blocks(scores, allowed, normalizer, 2 * width)  # (B, n)
    else:
        few = min(2 * width, vocabulary)  # no row can place more than 2K among the best 2K
        rows = vocabulary * torch.arange(width, device=scores.device).view(-1, 1)
        best = allowed.topk(few, dim=1).indices.view(sources, width, few)
        places = (best + rows).flatten(1)
    parents = places // vocabulary
    log_probs = _of_source(allowed, places) - _of_source(normalizer, parents)
    total, order = (scores.gather(1, parents) + log_probs).topk(min(2 * width, places.size(1)))
    return total, parents.gather(1, order), places.gather(1, order) % vocabulary


def _of_source(values: Tensor, places: Tensor) -> Tensor:
    """Of values (B x K, n) those at places (B, m), counted over a source's K x n."""
    return values.view(len(places), -1).gather(1, places)


def _places_of_best_blocks(
    scores: Tensor, allowed: Tensor, normalizer: Tensor, count: int
) -> Tensor:
    """Places over a source's K x V among which its ``count`` best extensions are: (B, n).

    These are the ``count`` blocks whose best extension is best, as no other one can hold what is
    looked for, and what is left over behind whole blocks: a CPU goes through few numbers one by
    one.
    """
    sources, width = scores.shape
    vocabulary = allowed.size(1)
    blocks, device = vocabulary // BLOCK, scores.device
    in_blocks = allowed[:, : blocks * BLOCK].unflatten(1, (blocks, BLOCK))
    best = scores.unsqueeze(2) + (in_blocks.amax(2) - normalizer).view(sources, width, blocks)
    chosen = best.flatten(1).topk(min(count, width * blocks)).indices  # (B, count)
    firsts = chosen // blocks * vocabulary + chosen % blocks * BLOCK
    places = (firsts.unsqueeze(2) + torch.arange(BLOCK, device=device)).flatten(1)
    behind = torch.arange(blocks * BLOCK, vocabulary, device=device)
    rows = vocabulary * torch.arange(width, device=device).view(-1, 1)
    return torch.cat((places, (rows + behind).flatten().expand(sources, -1)), dim=1)


def log_normalizer(logits: Tensor) -> Tensor:
    """``log sum_v exp x_v`` of logits (N, V), at least float32: (N, 1).

    By way of powers of two, whose kernel for the CPU takes a third of the time of ``exp``.
    """
    dtype = wide_type(logits.dtype)
    parts = []
    for rows in logits.split(rows_together(logits)):
        rows = rows.to(dtype)
        largest = rows.amax(1, keepdim=True) * LOG2_E
        total = torch.add(-largest, rows, alpha=LOG2_E).exp2_().sum(1, keepdim=True)
        parts.append((largest + total.log2()) / LOG2_E)
    return torch.cat(parts)


def rows_together(scores: Tensor) -> int:
    """How many rows of scores (N, V) to go through at a time: on a CPU few, elsewhere all."""
    return ROWS if scores.device.type == "cpu" else len(scores)


def largest(scores: Tensor) -> tuple[Tensor, Tensor]:
    """The largest of each row (N, V) and its place, the first of equals: (N, 1) each.

    On a CPU, where it means going through a row number by number, only the block that holds it is
    looked at.
    """
    blocks = scores.size(1) // BLOCK
    if scores.device.type != "cpu" or blocks < 2:
        return scores.max(1, keepdim=True)
    behind = scores[:, blocks * BLOCK :]
    in_blocks = scores[:, : blocks * BLOCK].unflatten(1, (blocks, BLOCK))
    block = in_blocks.amax(2).max(1, keepdim=True).indices  # (N, 1)
    rows = torch.arange(len(scores))
    best, place = in_blocks[rows, block.squeeze(1)].max(1, keepdim=True)
    place = place + block * BLOCK
    if not behind.size(1):
        return best, place
    rest, rest_place = behind.max(1, keepdim=True)
    return torch.maximum(best, rest), torch.where(rest > best, rest_place + blocks * BLOCK, place)


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
