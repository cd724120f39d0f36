"""Losses of features against a vocabulary, the plain one without keeping the logits."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.amp import custom_bwd, custom_fwd

from tandem.core.errors import InputError
from tandem.models.copying import Copied

CHUNK_ROWS = 256
"""Rows whose logits exist at a time; few enough to stay in a processor's cache."""


class LabelSmoothedCrossEntropy:
    """``(1 - e) (-log p(y)) + e / V sum_v (-log p(v))``: Szegedy et al. (2016), section 7.

    On a CPU the gradient is computed in the forward pass, ``CHUNK_ROWS`` rows at a time, so that
    the (R, V) logits never exist as a whole; elsewhere it is PyTorch's own loss.

    :param smoothing: e in [0, 1).
    """

    def __init__(self, *, smoothing: float) -> None:
        if not 0 <= smoothing < 1:
            raise InputError(
                f"`objective.smoothing` must be at least 0 and below 1, but is {smoothing}."
            )
        self.smoothing = smoothing

    def __call__(self, features: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        """Mean loss of a batch.

        :param features: (R, D) of the real target positions.
        :param weight: (V, D) of the vocabulary layer.
        :param target: (R,) ids.
        """
        if features.device.type == "cpu" and torch.is_grad_enabled():
            loss: Tensor = _ChunkedCrossEntropy.apply(features, weight, target, self.smoothing)
            return loss
        return F.cross_entropy(features @ weight.t(), target, label_smoothing=self.smoothing)

    def copying(self, features: Tensor, weight: Tensor, target: Tensor, copied: Copied) -> Tensor:
        """Mean loss if symbols can be copied, too: the mixture's -log p, its logits kept.

        Smoothing acts on the vocabulary layer's distribution alone; what may be copied is known
        and needs no probability elsewhere.

        :param copied: of the same R positions.
        """
        logits = features @ weight.t()
        log_probs = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)
        at_gold = log_probs.gather(1, target.unsqueeze(1)).squeeze(1)  # (R,)
        loss = -copied.log_prob_of(target, at_gold).mean()
        if not self.smoothing:
            return loss
        return (1 - self.smoothing) * loss - self.smoothing * log_probs.mean()


class _ChunkedCrossEntropy(torch.autograd.Function):
    """The loss and both gradients in one pass over chunks of rows.

    Softmax takes a third of log-softmax's time, and the normaliser can be read off its largest
    value. The smoothing term is linear in the logits, ``sum_v f . w_v = f . sum_v w_v``, so it
    costs a vector instead of another pass over the vocabulary.
    """

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, target: Tensor, smoothing: float
    ) -> Tensor:
        """See :class:`LabelSmoothedCrossEntropy`."""
        rows, vocabulary = len(features), len(weight)
        share = smoothing / vocabulary
        weight_sum = weight.sum(0)  # (D,)
        grad_features, grad_weight = torch.empty_like(features), torch.zeros_like(weight)
        total = features.new_zeros(())
        buffer = features.new_empty(min(rows, CHUNK_ROWS), vocabulary)  # one for all chunks
        for start in range(0, rows, CHUNK_ROWS):
            part, gold = features[start : start + CHUNK_ROWS], target[start : start + CHUNK_ROWS]
            logits = torch.mm(part, weight.t(), out=buffer[: len(part)])  # (chunk, V)
            at_gold, largest = logits.gather(1, gold.unsqueeze(1)), logits.amax(1, keepdim=True)
            error = torch.softmax(logits, dim=1, out=logits)  # the gradient by the logits, almost
            log_normalizer = largest - error.amax(1, keepdim=True).log()  # (chunk, 1)
            total -= (1 - smoothing) * (at_gold - log_normalizer).sum()
            total -= share * (part @ weight_sum).sum() - smoothing * log_normalizer.sum()
            error.scatter_add_(1, gold.unsqueeze(1), error.new_full(at_gold.shape, smoothing - 1))
            torch.mm(error, weight, out=grad_features[start : start + CHUNK_ROWS])
            grad_weight.addmm_(error.t(), part)
        grad_features -= share * weight_sum
        grad_weight -= share * features.sum(0)
        ctx.save_for_backward(grad_features.div_(rows), grad_weight.div_(rows))
        return total / rows

    @staticmethod
    @custom_bwd(device_type="cpu")
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """The gradients are known already."""
        grad_features, grad_weight = ctx.saved_tensors
        return grad_features * grads[0], grad_weight * grads[0], None, None


def disagreement(features: Tensor, weight: Tensor) -> Tensor:
    """``(KL(p || q) + KL(q || p)) / 2``, the mean over positions: Liang et al. (2021), eq. 2.

    On a CPU this works as :class:`LabelSmoothedCrossEntropy` does, ``CHUNK_ROWS`` positions at a
    time; elsewhere the logits exist as a whole.

    :param features: (2R, D): p is what the first half says, q the second.
    :param weight: (V, D) of the vocabulary layer.
    """
    if features.device.type == "cpu" and torch.is_grad_enabled():
        value: Tensor = _ChunkedDisagreement.apply(features, weight)
        return value
    logits = features @ weight.t()
    return symmetric_divergence(*logits.log_softmax(-1).chunk(2)) / (len(features) // 2)


def symmetric_divergence(first: Tensor, second: Tensor) -> Tensor:
    """``sum (p - q) (log p - log q) / 2`` of log-probabilities (R, V)."""
    return ((first.exp() - second.exp()) * (first - second)).sum() / 2


class _ChunkedDisagreement(torch.autograd.Function):
    """The divergence and both gradients in one pass over chunks of positions.

    With d = log p - log q, the derivative by the logits of p is
    ``(p (d - KL(p || q)) + p - q) / 2``, and that by the logits of q the same with both swapped.
    """

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx: Any, features: Tensor, weight: Tensor) -> Tensor:
        """See :func:`disagreement`."""
        half, vocabulary = len(features) // 2, len(weight)
        grad_features, grad_weight = torch.empty_like(features), torch.zeros_like(weight)
        total = features.new_zeros(())
        buffers = features.new_empty(5, min(half, CHUNK_ROWS), vocabulary)  # for all chunks
        for start in range(0, half, CHUNK_ROWS):
            rows = [
                slice(start + i * half, min(start + CHUNK_ROWS, half) + i * half) for i in (0, 1)
            ]
            p, q, ratio, p_grad, q_grad = buffers[:, : rows[0].stop - start]  # (chunk, V) each
            largest = [
                torch.mm(features[part], weight.t(), out=out).amax(1, keepdim=True)
                for part, out in zip(rows, (p, q), strict=True)
            ]
            torch.sub(p, q, out=ratio)
            torch.softmax(p, dim=1, out=p)
            torch.softmax(q, dim=1, out=q)
            ratio -= largest[0] - p.amax(1, keepdim=True).log()  # each one's log-normaliser
            ratio += largest[1] - q.amax(1, keepdim=True).log()
            forward_kl = torch.mul(p, ratio, out=p_grad).sum(1, keepdim=True)  # (chunk, 1)
            backward_kl = torch.mul(q, ratio, out=q_grad).sum(1, keepdim=True).neg_()
            total += (forward_kl + backward_kl).sum() / 2
            difference = torch.sub(p, q, out=ratio)
            p_grad.addcmul_(p, forward_kl, value=-1).add_(difference)
            q_grad.neg_().addcmul_(q, backward_kl, value=-1).sub_(difference)
            for part, error in zip(rows, (p_grad, q_grad), strict=True):
                torch.mm(error, weight, out=grad_features[part])
                grad_weight.addmm_(error.t(), features[part])
        ctx.save_for_backward(grad_features.div_(2 * half), grad_weight.div_(2 * half))
        return total / half

    @staticmethod
    @custom_bwd(device_type="cpu")
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        """The gradients are known already."""
        grad_features, grad_weight = ctx.saved_tensors
        return grad_features * grads[0], grad_weight * grads[0]


def token_losses(features: Tensor, weight: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """For evaluation: ``-log p`` of each target symbol, and whether it is the most probable.

    :param features: (R, D)
    :param weight: (V, D)
    :param target: (R,)
    :return: (R,) in nats, (R,) bool.
    """
    parts = zip(features.split(CHUNK_ROWS), target.split(CHUNK_ROWS), strict=True)
    found = [score_losses(part @ weight.t(), gold) for part, gold in parts]
    losses, hits = zip(*found, strict=True)
    return torch.cat(losses), torch.cat(hits)


def score_losses(scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`token_losses`, from logits or log-probabilities (R, V)."""
    return F.cross_entropy(scores, target, reduction="none"), scores.argmax(1) == target


def coverage_loss(weights: Tensor, mask: Tensor) -> Tensor:
    """``sum_s min(a_ts, sum_{t' < t} a_t's)``, mean over real steps: See et al. (2017), eq. 12.

    :param weights: (B, T, S), zero at source padding.
    :param mask: (B, T) of the target.
    """
    before = weights.cumsum(1) - weights  # (B, T, S)
    repeated = torch.minimum(weights, before).sum(2)  # (B, T)
    return repeated.masked_fill(~mask, 0.0).sum() / mask.sum()
