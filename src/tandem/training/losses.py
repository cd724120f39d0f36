"""Losses of features against a vocabulary, the plain one without keeping the logits."""

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.precision import wide_type
from tandem.core.types import FIRST_OUTPUT
from tandem.models.copying import Copied
from tandem.training.chunked_losses import cross_entropy


class LabelSmoothedCrossEntropy:
    """``(1 - e) (-log p(y)) + e / V sum_v (-log p(v))``: Szegedy et al. (2016), section 7.

    V counts what an output can hold, so smoothing gives no probability to ``pad`` and ``bos``.

    The gradient is computed in the forward pass, a chunk of rows at a time, so that the (R, V)
    logits never exist as a whole.

    :param smoothing: e in [0, 1).
    """

    def __init__(self, *, smoothing: float) -> None:
        if not 0 <= smoothing < 1:
            raise InputError(
                f"`objective.smoothing` must be at least 0 and below 1, but is {smoothing}."
            )
        self.smoothing = smoothing
        self.compiled = False
        """Whether what is done to logits off a CPU becomes one kernel."""

    def __call__(self, features: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        """Mean loss of a batch.

        :param features: (R, D) of the real target positions.
        :param weight: of the vocabulary layer, a row for each target symbol.
        :param target: (R,) ids, from ``FIRST_OUTPUT`` on.
        """
        return cross_entropy(features, weight, target, self.smoothing, compiled=self.compiled)

    def copying(self, logits: Tensor, target: Tensor, copied: Copied) -> Tensor:
        """Mean loss if symbols can be copied, too: the mixture's -log p, its logits kept.

        Smoothing acts on the vocabulary layer's distribution alone; what may be copied is known
        and needs no probability elsewhere.

        :param logits: of the vocabulary layer at R positions, as wide as all target symbols.
        :param target: (R,) ids.
        :param copied: of the same positions.
        """
        log_probs = logits.to(wide_type(logits.dtype)).log_softmax(-1)
        at_gold = log_probs.gather(1, target.unsqueeze(1)).squeeze(1)  # (R,)
        loss = -copied.log_prob_of(target, at_gold).mean()
        if not self.smoothing:
            return loss
        return (1 - self.smoothing) * loss - self.smoothing * log_probs[:, FIRST_OUTPUT:].mean()


def coverage_loss(weights: Tensor, mask: Tensor) -> Tensor:
    """``sum_s min(a_ts, sum_{t' < t} a_t's)``, mean over real steps: See et al. (2017), eq. 12.

    :param weights: (B, T, S), zero at source padding.
    :param mask: (B, T) of the target.
    """
    before = weights.cumsum(1) - weights  # (B, T, S)
    repeated = torch.minimum(weights, before).sum(2)  # (B, T)
    return repeated.masked_fill(~mask, 0.0).sum() / mask.sum()
