"""Losses of many positions that make their gradients in the forward pass, a chunk at a time.

So the (R, V) logits never exist as a whole, and none are computed twice. Products take the type
that autocast asks for; softmax, losses and the weight's gradient are in float32 or wider.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from tandem.core.devices import on_cpu
from tandem.core.precision import product_type, wide_type
from tandem.core.types import FIRST_OUTPUT
from tandem.inference.teacher_forcing import rows_of_chunk
from tandem.models.vocabulary_layer import forbid_no_outputs_


def cross_entropy(
    features: Tensor, weight: Tensor, target: Tensor, smoothing: float, *, compiled: bool
) -> Tensor:
    """Mean over positions of ``(1 - e) (-log p(y)) + e / V sum_v (-log p(v))``.

    :param features: (R, D)
    :param weight: (V, D) of the vocabulary layer.
    :param target: (R,) ids.
    :param smoothing: e.
    :param compiled: whether what is done to logits off a CPU becomes one kernel.
    """
    loss: Tensor = _CrossEntropy.apply(features, weight, target, smoothing, compiled)
    return loss


def disagreement(features: Tensor, weight: Tensor, *, compiled: bool) -> Tensor:
    """``(KL(p || q) + KL(q || p)) / 2``, the mean over positions: Liang et al. (2021), eq. 2.

    :param features: (2R, D): p is what the first half says, q the second.
    :param weight: (V, D) of the vocabulary layer.
    :param compiled: as in :func:`cross_entropy`.
    """
    value: Tensor = _Disagreement.apply(features, weight, compiled)
    return value


def distillation(
    features: Tensor,
    weight: Tensor,
    teacher: Callable[[Tensor], Tensor],
    *,
    temperature: float,
    compiled: bool,
) -> Tensor:
    """``T^2 KL(p || q)``, the mean over positions: Hinton et al. (2015), section 2.

    :param features: (R, D) of the student, whose logits divided by T give q.
    :param weight: (V, D) of its vocabulary layer.
    :param teacher: gives p at some positions (R',), 0 for what no output holds: (R', V).
    :param temperature: T.
    :param compiled: as in :func:`cross_entropy`.
    """
    loss: Tensor = _Distillation.apply(features, weight, teacher, temperature, compiled)
    return loss


class _CrossEntropy(torch.autograd.Function):
    """The smoothing term is linear in the logits, ``sum_v f . w_v = f . sum_v w_v``, so it costs
    a vector instead of another pass over the vocabulary.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, target: Tensor, smoothing: float, compiled: bool
    ) -> Tensor:
        """See :func:`cross_entropy`."""
        wide, factors = wide_type(features.dtype), _factor_type(features)
        cached = on_cpu(features)
        errors = errors_in_cache if cached else _choose(errors_in_few_passes, compiled)
        with torch.autocast(features.device.type, enabled=False):
            vectors, table = features.to(factors), weight.to(factors)
            grad_features = torch.empty_like(features, dtype=wide)
            grad_weight = torch.zeros_like(weight, dtype=wide)
            rows, vocabulary = len(features), len(weight)
            at_gold, normalizers = features.new_empty(2, rows, 1, dtype=wide)
            size = rows_of_chunk(features, vocabulary)
            buffer = vectors.new_empty(  # one for all chunks
                min(rows, size), vocabulary, dtype=wide if cached else factors
            )
            for start in range(0, rows, size):
                chunk = slice(start, start + size)
                part, gold = vectors[chunk], target[chunk].unsqueeze(1)
                logits = _product(part, table.t(), out=buffer[: len(part)])  # (chunk, V)
                error, at_gold[chunk], normalizers[chunk] = errors(logits, gold, smoothing)
                error = error.to(factors)
                _product(error, table, out=grad_features[chunk])
                _add_product(grad_weight, error.t(), part)
            share = smoothing / (vocabulary - FIRST_OUTPUT)
            weight_sum = weight[FIRST_OUTPUT:].sum(0, dtype=wide)  # (D,)
            features_sum = features.sum(0, dtype=wide)
            grad_features -= share * weight_sum
            grad_weight[FIRST_OUTPUT:] -= share * features_sum
            ctx.save_for_backward(grad_features.div_(rows), grad_weight.div_(rows))
            total = normalizers.sum() - (1 - smoothing) * at_gold.sum()
            return (total - share * (features_sum @ weight_sum)) / rows

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        """The gradients are known already."""
        grad_features, grad_weight = ctx.saved_tensors
        return grad_features * grads[0], grad_weight * grads[0], None, None, None


def errors_in_cache(logits: Tensor, gold: Tensor, smoothing: float) -> tuple[Tensor, ...]:
    """The gradient by the logits but for what smoothing takes from all alike, in place.

    Softmax takes a third of log-softmax's time on a CPU.

    :param logits: (chunk, V), changed.
    :param gold: (chunk, 1) ids.
    :return: errors (chunk, V), the gold symbols' logits and all log-normalisers, (chunk, 1) each.
    """
    forbid_no_outputs_(logits)
    at_gold = logits.gather(1, gold)
    normalizers = _softmax_(logits)
    logits.scatter_add_(1, gold, logits.new_full(gold.shape, smoothing - 1))
    return logits, at_gold, normalizers


def errors_in_few_passes(logits: Tensor, gold: Tensor, smoothing: float) -> tuple[Tensor, ...]:
    """The same for devices to which memory is far: fewest passes, each in float32 or wider.

    Errors have the logits' type, in which the gold symbol's is rounded only once it is small.
    """
    forbid_no_outputs_(logits)
    at_gold = logits.gather(1, gold).to(wide_type(logits.dtype))
    log_probs = logits.log_softmax(1, dtype=at_gold.dtype)
    gold_log_probs = log_probs.gather(1, gold)
    errors = torch.exp(log_probs, out=logits)
    errors.scatter_(1, gold, (gold_log_probs.exp() + (smoothing - 1)).to(errors.dtype))
    return errors, at_gold, at_gold - gold_log_probs


class _Disagreement(torch.autograd.Function):
    """With d = log p - log q, the derivative by the logits of p is
    ``(p (d - KL(p || q)) + p - q) / 2``, and that by the logits of q the same with both swapped.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, compiled: bool) -> Tensor:
        """See :func:`disagreement`."""
        wide, factors = wide_type(features.dtype), _factor_type(features)
        errors = _choose(divergence_errors, compiled and not on_cpu(features))
        with torch.autocast(features.device.type, enabled=False):
            grad_features = torch.empty_like(features, dtype=wide)
            grad_weight = torch.zeros_like(weight, dtype=wide)
            first_out, second_out = grad_features.chunk(2)
            half, total = len(first_out), features.new_zeros((), dtype=wide)
            (first, second), table = features.to(factors).chunk(2), weight.to(factors)
            size = rows_of_chunk(features, len(weight))
            buffers = features.new_empty(5, min(half, size), len(weight), dtype=wide)
            for start in range(0, half, size):
                rows = slice(start, start + size)
                p, q, *rest = buffers[:, : len(first[rows])].unbind()  # (chunk, V) each
                _product(first[rows], table.t(), out=p)
                _product(second[rows], table.t(), out=q)
                value, p_error, q_error = errors(p, q, *rest)
                total += value
                for part, error, out in (
                    (first[rows], p_error.to(factors), first_out[rows]),
                    (second[rows], q_error.to(factors), second_out[rows]),
                ):
                    _product(error, table, out=out)
                    _add_product(grad_weight, error.t(), part)
            ctx.save_for_backward(grad_features.div_(2 * half), grad_weight.div_(2 * half))
            return total / half

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        """The gradients are known already."""
        grad_features, grad_weight = ctx.saved_tensors
        return grad_features * grads[0], grad_weight * grads[0], None


def divergence_errors(
    p: Tensor, q: Tensor, ratio: Tensor, p_error: Tensor, q_error: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The divergences' sum over a chunk and twice its derivatives by both logits.

    :param p: logits (chunk, V), changed; so is ``q``.
    :param ratio: room for (chunk, V), as are ``p_error`` and ``q_error``, which are returned.
    """
    for logits in (p, q):  # finite, so that their difference is
        logits[:, :FIRST_OUTPUT] = torch.finfo(logits.dtype).min
    torch.sub(p, q, out=ratio)
    ratio -= _softmax_(p) - _softmax_(q)  # log p - log q
    p_to_q = torch.mul(p, ratio, out=p_error).sum(1, keepdim=True)  # (chunk, 1) KL(p || q)
    q_to_p = torch.mul(q, ratio, out=q_error).sum(1, keepdim=True).neg_()
    difference = torch.sub(p, q, out=ratio)
    p_error.addcmul_(p, p_to_q, value=-1).add_(difference)
    q_error.neg_().addcmul_(q, q_to_p, value=-1).sub_(difference)
    return (p_to_q + q_to_p).sum() / 2, p_error, q_error


class _Distillation(torch.autograd.Function):
    """The derivative by the student's logits is ``T (q - p)``."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        teacher: Callable[[Tensor], Tensor],
        temperature: float,
        compiled: bool,
    ) -> Tensor:
        """See :func:`distillation`."""
        wide, factors = wide_type(features.dtype), _factor_type(features)
        errors = _choose(distillation_errors, compiled and not on_cpu(features))
        rows, total = len(features), features.new_zeros((), dtype=wide)
        size = rows_of_chunk(features, len(weight))
        positions = torch.arange(rows, device=features.device)
        grad_features = torch.empty_like(features, dtype=wide)
        grad_weight = torch.zeros_like(weight, dtype=wide)
        buffer = features.new_empty(min(rows, size), len(weight), dtype=wide)
        for start in range(0, rows, size):
            chunk = slice(start, start + size)
            p = teacher(positions[chunk]).to(wide)  # (chunk, V), under the caller's autocast
            with torch.autocast(features.device.type, enabled=False):
                part, table = features[chunk].to(factors), weight.to(factors)
                logits = _product(part, table.t(), out=buffer[: len(part)])  # (chunk, V)
                divergence, error = errors(logits, p, temperature)
                total += divergence
                error = error.to(factors)
                _product(error, table, out=grad_features[chunk])
                _add_product(grad_weight, error.t(), part)
        share = temperature / rows
        ctx.save_for_backward(grad_features.mul_(share), grad_weight.mul_(share))
        return total * (temperature * share)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        """The gradients are known already."""
        grad_features, grad_weight = ctx.saved_tensors
        return grad_features * grads[0], grad_weight * grads[0], None, None, None


def distillation_errors(logits: Tensor, p: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """The divergences' sum over a chunk, and ``q - p``, in place of the logits.

    :param logits: (chunk, V), changed.
    :param p: (chunk, V)
    """
    logits /= temperature
    negative = (p * logits).sum() + torch.special.entr(p).sum()  # sum_v p (log q - log p) + log Z
    forbid_no_outputs_(logits)
    normalizers = _softmax_(logits)
    return normalizers.sum() - negative, logits.sub_(p)


def _softmax_(logits: Tensor) -> Tensor:
    """Makes probabilities of logits (R, V) in place; returns the log-normalisers (R, 1).

    The normaliser can be read off the largest probability.
    """
    largest = logits.amax(1, keepdim=True)
    torch.softmax(logits, dim=1, out=logits)
    return largest - logits.amax(1, keepdim=True).log()


def _factor_type(features: Tensor) -> torch.dtype:
    """What factors of a large product are rounded to.

    Off a CPU what autocast asks for, or their own type. On a CPU at least float32, or bfloat16 if
    it is asked for, by autocast or as the ``medium`` precision of products, and the CPU multiplies
    it itself. Under ``medium`` its fp32 product rounds the factors each time it is called, which
    without AMX takes as long as it saves; rounding them once makes it twice as fast there.
    """
    asked, wide = product_type(features), wide_type(features.dtype)
    if not on_cpu(features):
        return asked
    mixed = asked == torch.bfloat16 != features.dtype
    medium = wide == torch.float32 and torch.get_float32_matmul_precision() == "medium"
    return torch.bfloat16 if (mixed or medium) and _has_bfloat16_units() else wide


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


def _choose(function: Callable[..., Any], compiled: bool) -> Callable[..., Any]:
    """The function, or what the compiler makes of it."""
    return _compile(function) if compiled else function


@cache
def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled once for any number of rows, which is axis 0 of all its tensors."""
    kernel = torch.compile(function)

    def call(*args: Any) -> Any:
        for arg in args:
            if isinstance(arg, Tensor):
                torch._dynamo.maybe_mark_dynamic(arg, 0)
        return kernel(*args)

    return call
