"""Prefixes side by side, K for each of B blocks (sources, or groups of one), and how they grow."""

from torch import Tensor


def expand(
    found: Tensor, allowed: Tensor, scores: Tensor, normalized: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The best 2K extensions of each block: scores, parents (0..K-1) and symbols (B, 2K).

    Twice the width, so that K open ones remain even if K of them end.

    :param found: (B x K, V) what the step says of each prefix's next symbol.
    :param allowed: (B x K, V) the same after rules.
    :param scores: (B, K) of the prefixes.
    :param normalized: see :class:`tandem.search.Step`.
    """
    blocks, width = scores.shape
    few = min(2 * width, found.size(1))
    top, symbols = allowed.topk(few, dim=1)  # no row can place more than 2K among the best 2K
    log_probs = top if normalized else top - log_normalizer(found)  # (N, few)
    total = (scores.reshape(-1, 1) + log_probs).view(blocks, width * few)
    best, index = total.topk(min(2 * width, width * few), dim=1)  # (B, 2K)
    return best, index // few, symbols.view(blocks, -1).gather(1, index)


def log_normalizer(logits: Tensor) -> Tensor:
    """``log sum_v exp x_v`` of logits (N, V) -> (N, 1).

    By way of softmax, whose kernel for the CPU takes a quarter of ``logsumexp``'s time.
    """
    largest = logits.softmax(1).amax(1, keepdim=True)  # at least 1 / V
    return logits.amax(1, keepdim=True) - largest.log()


def choose(history: Tensor, order: Tensor) -> Tensor:
    """Choose among axis 1 of history (B, K, L) by order (B, K')."""
    return history.gather(1, order.unsqueeze(2).expand(-1, -1, history.size(2)))


def extend(history: Tensor, parents: Tensor, symbols: Tensor, position: int) -> Tensor:
    """Histories of the parents with the new symbol at ``position``."""
    extended = choose(history, parents)
    extended[:, :, position] = symbols
    return extended
