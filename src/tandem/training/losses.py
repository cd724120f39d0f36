"""Losses of features against a vocabulary, the plain one without keeping the logits."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.amp import custom_bwd, custom_fwd

from tandem.core.errors import InputError
from tandem.core.precision import wide_type
from tandem.core.types import FIRST_OUTPUT
from tandem.inference.teacher_forcing import CHUNK_ROWS
from tandem.models.copying import Copied
from tandem.models.vocabulary_layer import forbid_no_outputs_


class LabelSmoothedCrossEntropy:
    """``(1 - e) (-log p(y)) + e / V sum_v (-log p(v))``: Szegedy et al. (2016), section 7.

    V counts what an output can hold, so smoothing gives no probability to ``pad`` and ``bos``.

    On a CPU the gradient is computed in the forward pass, ``CHUNK_ROWS`` rows at a time, so that
    the (R, V) logits never exist as a whole.

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
        :param weight: of the vocabulary layer, a row for each target symbol.
        :param target: (R,) ids, from ``FIRST_OUTPUT`` on.
        """
        wide = wide_type(features.dtype)
        if features.device.type == "cpu" and torch.is_grad_enabled():
            loss: Tensor = _ChunkedCrossEntropy.apply(
                features.to(wide), weight.to(wide), target, self.smoothing
            )
            return loss
        logits = forbid_no_outputs_((features @ weight.t()).to(wide))
        loss = F.cross_entropy(logits, target)
        if not self.smoothing:
            return loss
        at_gold = logits.gather(1, target.unsqueeze(1))  # (R, 1)
        outputs = weight[FIRST_OUTPUT:].to(wide)
        mean_logit = features.to(wide).mean(0) @ outputs.mean(0)  # of all outputs and positions
        return loss + self.smoothing * (at_gold.mean() - mean_logit)

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


class _ChunkedCrossEntropy(torch.autograd.Function):
    """The loss and both gradients in one pass over chunks of rows.

    The smoothing term is linear in the logits, ``sum_v f . w_v = f . sum_v w_v``, so it costs a
    vector instead of another pass over the vocabulary.
    """

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, target: Tensor, smoothing: float
    ) -> Tensor:
        """See :class:`LabelSmoothedCrossEntropy`."""
        rows, vocabulary = len(features), len(weight)
        share = smoothing / (vocabulary - FIRST_OUTPUT)
        weight_sum = weight[FIRST_OUTPUT:].sum(0)  # (D,)
        rounding = _factor_type(features)
        vectors, table = features.to(rounding), weight.to(rounding)
        grad_features, grad_weight = torch.empty_like(features), torch.zeros_like(weight)
        total = features.new_zeros(())
        buffer = features.new_empty(min(rows, CHUNK_ROWS), vocabulary)  # one for all chunks
        for start in range(0, rows, CHUNK_ROWS):
            part, gold = vectors[start : start + CHUNK_ROWS], target[start : start + CHUNK_ROWS]
            logits = _product(part, table.t(), out=buffer[: len(part)])  # (chunk, V)
            forbid_no_outputs_(logits)
            at_gold = logits.gather(1, gold.unsqueeze(1))
            log_normalizer = _softmax_(logits)  # (chunk, 1)
            error = logits  # now probabilities: the gradient by the logits, almost
            total -= (1 - smoothing) * (at_gold - log_normalizer).sum()
            total += smoothing * log_normalizer.sum()
            error.scatter_add_(1, gold.unsqueeze(1), error.new_full(at_gold.shape, smoothing - 1))
            error = error.to(rounding)
            _product(error, table, out=grad_features[start : start + CHUNK_ROWS])
            _add_product(grad_weight, error.t(), part)
        total -= share * (features @ weight_sum).sum()
        grad_features -= share * weight_sum
        grad_weight[FIRST_OUTPUT:] -= share * features.sum(0)
        ctx.save_for_backward(grad_features.div_(rows), grad_weight.div_(rows))
        return total / rows

    @staticmethod
    @custom_bwd(device_type="cpu")
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """The gradients are known already."""
        grad_features, grad_weight = ctx.saved_tensors
        return grad_features * grads[0], grad_weight * grads[0], None, None


class _ChunkedDisagreement(torch.autograd.Function):
    """The divergence of two passes and both gradients in one pass over chunks of positions.

    With d = log p - log q, the derivative by the logits of p is
    ``(p (d - KL(p || q)) + p - q) / 2``, and that by the logits of q the same with both swapped.
    """

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx: Any, features: Tensor, weight: Tensor) -> Tensor:
        """See :func:`disagreement`."""
        grad_features, grad_weight = torch.empty_like(features), torch.zeros_like(weight)
        first_out, second_out = grad_features.chunk(2)
        half, total = len(first_out), features.new_zeros(())
        rounding = _factor_type(features)
        (first, second), table = features.to(rounding).chunk(2), weight.to(rounding)
        buffers = features.new_empty(5, min(half, CHUNK_ROWS), len(weight))  # for all chunks
        for start in range(0, half, CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            p, q, ratio, p_grad, q_grad = buffers[:, : len(first[rows])]  # (chunk, V) each
            _product(first[rows], table.t(), out=p)
            _product(second[rows], table.t(), out=q)
            for logits in (p, q):  # finite, so that their difference is
                logits[:, :FIRST_OUTPUT] = torch.finfo(logits.dtype).min
            torch.sub(p, q, out=ratio)
            ratio -= _softmax_(p) - _softmax_(q)  # log p - log q
            p_to_q = torch.mul(p, ratio, out=p_grad).sum(1, keepdim=True)  # (chunk, 1) KL(p || q)
            q_to_p = torch.mul(q, ratio, out=q_grad).sum(1, keepdim=True).neg_()
            total += (p_to_q + q_to_p).sum() / 2
            difference = torch.sub(p, q, out=ratio)
            p_grad.addcmul_(p, p_to_q, value=-1).add_(difference)
            q_grad.neg_().addcmul_(q, q_to_p, value=-1).sub_(difference)
            for part, error, out in (
                (first[rows], p_grad.to(rounding), first_out[rows]),
                (second[rows], q_grad.to(rounding), second_out[rows]),
            ):
                _product(error, table, out=out)
                _add_product(grad_weight, error.t(), part)
        ctx.save_for_backward(grad_features.div_(2 * half), grad_weight.div_(2 * half))
        return total / half

    @staticmethod
    @custom_bwd(device_type="cpu")
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        """The gradients are known already."""
        grad_features, grad_weight = ctx.saved_tensors
        return grad_features * grads[0], grad_weight * grads[0]


def disagreement(features: Tensor, weight: Tensor) -> Tensor:
    """``(KL(p || q) + KL(q || p)) / 2``, the mean over positions: Liang et al. (2021), eq. 2.

    For a CPU: as in :class:`LabelSmoothedCrossEntropy`, the gradient is computed forward.

    :param features: (2R, D): p is what the first half says, q the second.
    :param weight: (V, D) of the vocabulary layer.
    """
    wide = wide_type(features.dtype)
    value: Tensor = _ChunkedDisagreement.apply(features.to(wide), weight.to(wide))
    return value


def _factor_type(values: Tensor) -> torch.dtype:
    """What factors of a large product are rounded to: bfloat16 or, mostly, not at all.

    Under a ``medium`` precision of products a CPU's fp32 product rounds its factors each time it
    is called, which without AMX takes as long as it saves. Rounding them once makes it twice as
    fast there.
    """
    asked = values.dtype == torch.float32 and torch.get_float32_matmul_precision() == "medium"
    return torch.bfloat16 if asked and _has_bfloat16_units() else values.dtype


def _has_bfloat16_units() -> bool:
    """Whether this CPU multiplies bfloat16 itself."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _product(first: Tensor, second: Tensor, *, out: Tensor) -> Tensor:
    """``first @ second`` into ``out``, whatever its type."""
    if first.dtype == out.dtype:
        return torch.mm(first, second, out=out)
    return out.copy_(first @ second)


def _add_product(total: Tensor, first: Tensor, second: Tensor) -> None:
    """``total += first @ second``."""
    if first.dtype == total.dtype:
        total.addmm_(first, second)
    else:
        total += first @ second


def _softmax_(logits: Tensor) -> Tensor:
    """Makes probabilities of logits (R, V) in place; returns the log-normalisers (R, 1).

    Softmax takes a third of log-softmax's time, and the normaliser can be read off its largest
    value.
    """
    largest = logits.amax(1, keepdim=True)
    torch.softmax(logits, dim=1, out=logits)
    return largest - logits.amax(1, keepdim=True).log()


def coverage_loss(weights: Tensor, mask: Tensor) -> Tensor:
    """``sum_s min(a_ts, sum_{t' < t} a_t's)``, mean over real steps: See et al. (2017), eq. 12.

    :param weights: (B, T, S), zero at source padding.
    :param mask: (B, T) of the target.
    """
    before = weights.cumsum(1) - weights  # (B, T, S)
    repeated = torch.minimum(weights, before).sum(2)  # (B, T)
    return repeated.masked_fill(~mask, 0.0).sum() / mask.sum()
