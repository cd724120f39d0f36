"""One recurrent layer over a sequence, by the fastest way there is for its cell and device."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tandem.core.devices import on_cpu
from tandem.core.masks import zero_padding
from tandem.layers.gru import run_gru, run_gru_direction

KERNELS: dict[str, Callable[..., Any]] = {
    "RNN_TANH": torch.rnn_tanh,
    "LSTM": torch.lstm,
    "GRU": torch.gru,
}
"""The fused kernel of each cell over a sequence, by the name that torch gives its mode."""

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""Of one direction of a layer, in the order of the kernels."""


def run(layer: nn.RNNBase, inputs: Tensor, slots: Any) -> Any:
    """One layer over all T, by the fastest way there is for its cell and device."""
    if isinstance(layer, nn.GRU) and on_cpu(inputs):
        return run_gru(layer, inputs, slots)
    return _run_fused(layer, "", inputs, slots)


def run_masked(layer: nn.RNNBase, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """One layer from zeros over all S of every row; equals running it over packed sequences.

    Packing would ask the device for the lengths. Instead padding stands behind each row's end,
    where it cannot reach back; for the second direction each row is turned round inside its length.

    :return: states (B, S, directions x H), and each direction's last, (directions, B, H).
    """
    rows = torch.arange(inputs.size(0), device=inputs.device)
    steps = torch.arange(inputs.size(1), device=inputs.device)
    lengths = mask.sum(1, keepdim=True)  # (B, 1)
    turned = torch.where(mask, lengths - 1 - steps, steps)  # (B, S), its own inverse
    directions, finals = [], []
    for suffix in ("", "_reverse")[: 2 if layer.bidirectional else 1]:
        read = inputs[rows.unsqueeze(1), turned] if suffix else inputs
        states = _run_direction(layer, suffix, read)  # (B, S, H)
        finals.append(states[rows, lengths.squeeze(1) - 1])
        directions.append(states[rows.unsqueeze(1), turned] if suffix else states)
    return zero_padding(torch.cat(directions, dim=2), mask), torch.stack(finals)


def _run_direction(layer: nn.RNNBase, suffix: str, inputs: Tensor) -> Tensor:
    """One direction of a layer from zeros: (B, S, E) in its order -> (B, S, H)."""
    zeros = inputs.new_zeros(inputs.size(0), layer.hidden_size)
    if isinstance(layer, nn.GRU) and on_cpu(inputs):
        return run_gru_direction(layer, suffix, inputs, zeros)
    hidden = zeros.unsqueeze(0)  # (1, B, H)
    start = (hidden, hidden) if isinstance(layer, nn.LSTM) else hidden
    states: Tensor = _run_fused(layer, suffix, inputs, start)[0]
    return states


def _run_fused(layer: nn.RNNBase, suffix: str, inputs: Tensor, start: Any) -> Any:
    """One direction of a layer by torch's kernel: (N, T, E) -> (N, T, H), and the last slots.

    :param start: hidden (1, N, H); of an LSTM with its cell.
    """
    weights = [getattr(layer, f"{name}_l0{suffix}") for name in WEIGHTS]
    states, *last = KERNELS[layer.mode](
        inputs,
        start,
        _in_one_chunk(weights) if layer.bidirectional else weights,
        has_biases=True,
        num_layers=1,
        dropout=0.0,
        train=layer.training,
        bidirectional=False,
        batch_first=True,
    )
    return states, last if isinstance(layer, nn.LSTM) else last[0]


def _in_one_chunk(weights: list[Tensor]) -> list[Tensor]:
    """The same weights side by side in memory, as cuDNN wants those of one direction."""
    flat = torch.cat([weight.flatten() for weight in weights])
    parts = flat.split([weight.numel() for weight in weights])
    return [part.view_as(weight) for part, weight in zip(parts, weights, strict=True)]
