"""Layers that must walk from position to position, with few operations a step.

What a step multiplies by is the same at each of them, so a weight's gradient is one large product
after the last step instead of a small one and a sum at each.
"""

from typing import Any

import torch
from torch import Tensor

from tandem.layers.cells import Cell, Tensors


class StepLinear:
    """A linear map for one pass over the positions.

    :param weight: (out, in)
    :param bias: (out,) or None.
    :param dtype: of what goes in and comes out.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        self.weight = weight.to(dtype)
        self.bias = None if bias is None else bias.to(dtype)
        self.uses: dict[int, Tensors] = {}
        """What went in at a step and the gradient of what came out, once it is known."""
        self.token = None
        """Ties each step to the weight in the graph of gradients."""
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            self.token = _GradientAtEnd.apply(self.uses, self.weight, self.bias)

    def __call__(self, inputs: Tensor, given: Tensor | None = None) -> Tensor:
        """Inputs (N, in) -> (N, out), with ``given`` (N, out) in place of the bias."""
        added = self.bias if given is None else given
        assert added is not None
        return torch.addmm(added, inputs, self.weight.t())


class _GradientAtEnd(torch.autograd.Function):
    """Gives a weight and a bias their gradients when all steps have had theirs."""

    @staticmethod
    def forward(ctx: Any, uses: dict[int, Tensors], weight: Tensor, bias: Tensor | None) -> Tensor:
        """A number that stands for the weight."""
        ctx.uses, ctx.has_bias = uses, bias is not None
        return weight.new_empty(())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor | None, Tensor | None]:
        """From what the steps have left."""
        if not ctx.uses:
            return None, None, None
        inputs, errors = (torch.cat(parts) for parts in zip(*ctx.uses.values(), strict=True))
        ctx.uses.clear()
        return None, errors.t() @ inputs, errors.sum(0) if ctx.has_bias else None


def step_cell(
    cell: Cell,
    step: int,
    below: StepLinear,
    recurrent: StepLinear,
    inputs: Tensor,
    given: Tensor | None,
    slots: Tensors,
) -> Tensors:
    """The slots (N, H) after a step.

    :param step: its number in the pass.
    :param below: makes gates of ``inputs`` (N, in).
    :param recurrent: makes gates of the hidden state.
    :param given: what else adds to the gates from below, (N, gates), or None.
    :param slots: (N, H) each.
    """
    if torch.compiler.is_compiling():
        return cell.equations(below(inputs, given), recurrent(slots[0]), slots)
    if below.token is None:
        return cell.forward(below(inputs, given), recurrent(slots[0]), slots)[0]
    tokens = (below.token, recurrent.token)
    after: Tensors = _StepCell.apply(cell, step, below, recurrent, inputs, given, *tokens, *slots)
    return after


class _StepCell(torch.autograd.Function):
    """Products and element-wise part of a cell's step, its gradient with two products."""

    @staticmethod
    def forward(
        ctx: Any,
        cell: Cell,
        step: int,
        below: StepLinear,
        recurrent: StepLinear,
        inputs: Tensor,
        given: Tensor | None,
        below_token: Tensor,
        recurrent_token: Tensor,
        *slots: Tensor,
    ) -> Tensors:
        """See :func:`step_cell`."""
        after, kept = cell.forward(below(inputs, given), recurrent(slots[0]), slots)
        ctx.parts, ctx.is_given = (cell, step, below, recurrent), given is not None
        ctx.save_for_backward(inputs, slots[0], *kept)
        return after

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The weights' gradients are left for the end."""
        cell, step, below, recurrent = ctx.parts
        inputs, hidden, *kept = ctx.saved_tensors
        error, recurrent_error, (grad_hidden, *others) = cell.backward(tuple(kept), grads)
        below.uses[step] = (inputs.detach(), error)
        recurrent.uses[step] = (hidden.detach(), recurrent_error)
        grad_inputs = error @ below.weight
        if grad_hidden is None:
            grad_hidden = recurrent_error @ recurrent.weight
        else:
            grad_hidden = torch.addmm(grad_hidden, recurrent_error, recurrent.weight)
        given = error if ctx.is_given else None
        return None, None, None, None, grad_inputs, given, None, None, grad_hidden, *others


def step_features(
    linear: StepLinear, step: int, states: Tensor, context: Tensor, factors: Tensor | None
) -> Tensor:
    """``tanh(W [states; context])`` times factors of dropout: (N, H), (N, C) -> (N, D)."""
    if torch.compiler.is_compiling() or linear.token is None:
        features = torch.tanh(linear(torch.cat((states, context), 1)))
        return features if factors is None else features * factors
    features = _StepFeatures.apply(linear, step, states, context, factors, linear.token)
    return features


class _StepFeatures(torch.autograd.Function):
    """Product, tanh and dropout of a step, its gradient with one product."""

    @staticmethod
    def forward(
        ctx: Any,
        linear: StepLinear,
        step: int,
        states: Tensor,
        context: Tensor,
        factors: Tensor | None,
        token: Tensor,
    ) -> Tensor:
        """See :func:`step_features`."""
        joined = torch.cat((states, context), 1)
        features = linear(joined).tanh_()
        ctx.parts = linear, step, states.size(1)
        ctx.save_for_backward(joined, features, factors)
        return features if factors is None else features * factors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The weight's gradient is left for the end."""
        linear, step, size = ctx.parts
        joined, features, factors = ctx.saved_tensors
        grad = grads[0] if factors is None else grads[0] * factors
        error = torch.ops.aten.tanh_backward(grad, features)
        linear.uses[step] = (joined, error)
        grad_joined = error @ linear.weight
        return None, None, grad_joined[:, :size], grad_joined[:, size:], None, None
