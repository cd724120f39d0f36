"""One step of an RNN, LSTM or GRU cell, and its gradient, in few operations.

The gates are those of PyTorch's documentation, in its order. On CUDA the LSTM's and the GRU's
element-wise part is one kernel of PyTorch's own in each direction.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Tensors = tuple[Tensor, ...]
Gradients = tuple[Tensor | None, ...]

aten = torch.ops.aten


class Cell(NamedTuple):
    """What a kind of cell makes of its gates; slots are its hidden state and an LSTM's cell."""

    equations: Callable[[Tensor, Tensor, Tensors], Tensors]
    """Gates from what is below and from the hidden state, slots -> next slots; for a compiler."""
    forward: Callable[[Tensor, Tensor, Tensors], tuple[Tensors, Tensors]]
    """The same, and what the gradient needs; changes the gates."""
    backward: Callable[[Tensors, Tensors], tuple[Tensor, Tensor, Gradients]]
    """What forward kept, gradients of next slots -> those of both gates and of the slots."""


def _rnn(gates: Tensor, recurrent: Tensor, slots: Tensors) -> Tensors:
    return (torch.tanh(gates + recurrent),)


def _rnn_forward(gates: Tensor, recurrent: Tensor, slots: Tensors) -> tuple[Tensors, Tensors]:
    hidden = gates.add_(recurrent).tanh_()
    return (hidden,), (hidden,)


def _rnn_backward(kept: Tensors, grads: Tensors) -> tuple[Tensor, Tensor, Gradients]:
    error = aten.tanh_backward(grads[0], *kept)
    return error, error, (None,)


def _lstm(gates: Tensor, recurrent: Tensor, slots: Tensors) -> Tensors:
    entry, forget, new, out = (gates + recurrent).chunk(4, 1)
    cell = torch.sigmoid(forget) * slots[1] + torch.sigmoid(entry) * torch.tanh(new)
    return torch.sigmoid(out) * torch.tanh(cell), cell


def _lstm_forward(gates: Tensor, recurrent: Tensor, slots: Tensors) -> tuple[Tensors, Tensors]:
    before = slots[1]
    if gates.is_cuda:
        hidden, cell, kept = aten._thnn_fused_lstm_cell(gates, recurrent, before)
        return (hidden, cell), (before, cell, kept)
    gates.add_(recurrent)
    entry, forget, new, out = gates.chunk(4, 1)
    gates[:, : 2 * before.size(1)].sigmoid_()
    new.tanh_()
    out.sigmoid_()
    cell = (forget * before).addcmul_(entry, new)
    squashed = torch.tanh(cell)
    return (out * squashed, cell), (before, squashed, gates)


def _lstm_backward(kept: Tensors, grads: Tensors) -> tuple[Tensor, Tensor, Gradients]:
    before, squashed, gates = kept  # on CUDA the cell itself instead of its tanh
    if gates.is_cuda:
        error, grad_cell, _ = aten._thnn_fused_lstm_cell_backward_impl(*grads, *kept, False)
        return error, error, (None, grad_cell)
    entry, forget, new, out = gates.chunk(4, 1)
    error = torch.empty_like(gates)
    errors = error.chunk(4, 1)
    grad_cell = grads[1] + aten.tanh_backward(grads[0] * out, squashed)
    aten.sigmoid_backward.grad_input(grad_cell * new, entry, grad_input=errors[0])
    aten.sigmoid_backward.grad_input(grad_cell * before, forget, grad_input=errors[1])
    aten.tanh_backward.grad_input(grad_cell * entry, new, grad_input=errors[2])
    aten.sigmoid_backward.grad_input(grads[0] * squashed, out, grad_input=errors[3])
    return error, error, (None, grad_cell.mul_(forget))


def _gru(gates: Tensor, recurrent: Tensor, slots: Tensors) -> Tensors:
    size = slots[0].size(1)
    both = torch.sigmoid(gates[:, : 2 * size] + recurrent[:, : 2 * size])
    reset, update = both.chunk(2, 1)
    new = torch.tanh(gates[:, 2 * size :] + reset * recurrent[:, 2 * size :])
    return (torch.lerp(new, slots[0], update),)


def _gru_forward(gates: Tensor, recurrent: Tensor, slots: Tensors) -> tuple[Tensors, Tensors]:
    (before,) = slots
    if gates.is_cuda:
        hidden, kept = aten._thnn_fused_gru_cell(gates, recurrent, before)
        return (hidden,), (kept,)
    size = before.size(1)
    both = gates[:, : 2 * size].add_(recurrent[:, : 2 * size]).sigmoid_()
    reset, update = both.chunk(2, 1)
    new = gates[:, 2 * size :].addcmul_(reset, recurrent[:, 2 * size :]).tanh_()
    return (torch.lerp(new, before, update),), (before, gates, recurrent)


def _gru_backward(kept: Tensors, grads: Tensors) -> tuple[Tensor, Tensor, Gradients]:
    (grad,) = grads
    if grad.is_cuda:
        error, recurrent_error, grad_hidden, *_ = aten._thnn_fused_gru_cell_backward(
            grad, *kept, False
        )
        return error, recurrent_error, (grad_hidden,)
    before, gates, recurrent = kept
    size = before.size(1)
    reset, update, new = gates.chunk(3, 1)
    error = torch.empty_like(gates)
    of_reset, of_update, of_new = error.chunk(3, 1)
    grad_hidden = grad * update
    aten.tanh_backward.grad_input(grad - grad_hidden, new, grad_input=of_new)
    candidate = recurrent[:, 2 * size :]
    aten.sigmoid_backward.grad_input(of_new * candidate, reset, grad_input=of_reset)
    aten.sigmoid_backward.grad_input((before - new).mul_(grad), update, grad_input=of_update)
    recurrent_error = error.clone()
    recurrent_error[:, 2 * size :].mul_(reset)
    return error, recurrent_error, (grad_hidden,)


CELLS = {
    "rnn": Cell(_rnn, _rnn_forward, _rnn_backward),
    "lstm": Cell(_lstm, _lstm_forward, _lstm_backward),
    "gru": Cell(_gru, _gru_forward, _gru_backward),
}
"""The cells by their names in the config."""
