"""A GRU layer over a sequence with its gradient written out: Cho et al. (2014), eq. 5 to 8.

PyTorch's own GRU spends most of a CPU's time on many small operations and on one small product
for the recurrent weight's gradient at each step. Here the backward pass has three operations a
step, and that gradient is one large product at the end.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.amp import custom_bwd, custom_fwd


def run_gru(layer: nn.GRU, inputs: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Run one forward layer; equals ``layer(inputs, hidden)``.

    :param layer: a GRU of one layer and one direction, batch first.
    :param inputs: (N, T, E)
    :param hidden: (1, N, H)
    :return: states (N, T, H) and the last of them, (1, N, H).
    """
    states = run_gru_direction(layer, "", inputs, hidden[0])
    return states, states[:, -1].unsqueeze(0)


def run_gru_direction(layer: nn.GRU, suffix: str, inputs: Tensor, hidden: Tensor) -> Tensor:
    """Inputs (N, T, E) in the order of one direction, hidden (N, H) -> states (N, T, H).

    :param suffix: "" for the first direction, "_reverse" for the second.
    """
    weights = [
        getattr(layer, f"{name}_l0{suffix}")
        for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    ]
    gates = F.linear(inputs.transpose(0, 1), *weights[:2])  # (T, N, 3H)
    states: Tensor = _Recurrence.apply(gates, hidden, *weights[2:])  # (T, N, H)
    return states.transpose(0, 1)


class _Recurrence(torch.autograd.Function):
    """``h_t = (1 - z) n + z h_{t-1}`` with r, z, n as in PyTorch's documentation of GRU."""

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx: Any, gates: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Gates (T, N, 3H) from the inputs, hidden (N, H) -> states (T, N, H)."""
        length, rows, _ = gates.shape
        size = hidden.size(1)
        states = hidden.new_empty(length + 1, rows, size)
        reset_update = hidden.new_empty(length, rows, 2 * size)
        new = hidden.new_empty(length, rows, size)
        recurrent = hidden.new_empty(length, rows, 3 * size)
        states[0] = hidden
        transposed = weight.t()
        for step in range(length):
            torch.addmm(bias, states[step], transposed, out=recurrent[step])
            before = gates[step]
            torch.add(before[:, : 2 * size], recurrent[step, :, : 2 * size], out=reset_update[step])
            reset_update[step].sigmoid_()
            reset, update = reset_update[step].split(size, dim=1)
            candidate = recurrent[step, :, 2 * size :]
            torch.addcmul(before[:, 2 * size :], reset, candidate, out=new[step]).tanh_()
            torch.lerp(new[step], states[step], update, out=states[step + 1])
        ctx.save_for_backward(states, reset_update, new, recurrent, weight)
        return states[1:]

    @staticmethod
    @custom_bwd(device_type="cpu")
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Every gate's gradient is the state's times a factor that is known beforehand."""
        states, reset_update, new, recurrent, weight = ctx.saved_tensors
        (grad,) = grads  # (T, N, H)
        length, rows, size = new.shape
        reset, update = reset_update.split(size, dim=2)
        to_new = (1 - update) * (1 - new * new)  # of the candidate before its tanh
        factors = torch.stack(
            (
                to_new * recurrent[:, :, 2 * size :] * reset * (1 - reset),
                (states[:-1] - new) * update * (1 - update),
                to_new * reset,
            ),
            dim=2,
        )  # (T, N, 3, H)
        errors = torch.empty_like(factors)
        state_errors = torch.empty_like(new)
        carried = torch.zeros_like(states[0])
        for step in reversed(range(length)):
            error = torch.add(grad[step], carried, out=state_errors[step])  # (N, H)
            torch.mul(error.unsqueeze(1), factors[step], out=errors[step])
            carried = torch.addmm(error * update[step], errors[step].view(rows, -1), weight)
        flat = errors.view(length * rows, 3 * size)
        grad_weight = flat.t() @ states[:-1].reshape(length * rows, size)
        grad_bias = flat.sum(0)
        errors[:, :, 2] = state_errors * to_new  # the inputs' part bypasses the reset gate
        return errors.view(length, rows, 3 * size), carried, grad_weight, grad_bias
