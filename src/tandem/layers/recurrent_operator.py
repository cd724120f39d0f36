"""A recurrent layer as one operator, which an exported program keeps instead of a loop over S."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tandem.layers.recurrent_kernels import WEIGHTS, run_masked

LAYERS: dict[str, Callable[..., nn.RNNBase]] = {"RNN_TANH": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
"""By the names that torch gives their modes."""


@torch.library.custom_op("tandem::recurrent_layer", mutates_args=())
def recurrent_layer(
    inputs: Tensor, mask: Tensor, weights: list[Tensor], mode: str
) -> tuple[Tensor, Tensor]:
    """See :func:`run_masked`.

    :param inputs: (B, S, E)
    :param mask: (B, S)
    :param weights: of each direction those of :data:`WEIGHTS`.
    :param mode: one of :data:`LAYERS`.
    """
    bidirectional = len(weights) > len(WEIGHTS)
    sizes = weights[0].size(1), weights[1].size(1)
    layer = LAYERS[mode](*sizes, batch_first=True, bidirectional=bidirectional, device="meta")
    for name, weight in zip(_names(layer), weights, strict=True):
        setattr(layer, name, nn.Parameter(weight, requires_grad=False))
    return run_masked(layer.eval(), inputs, mask)


@recurrent_layer.register_fake
def _shapes(
    inputs: Tensor, mask: Tensor, weights: list[Tensor], mode: str
) -> tuple[Tensor, Tensor]:
    directions, size = len(weights) // len(WEIGHTS), weights[1].size(1)
    states = inputs.new_empty(*inputs.shape[:2], directions * size)
    return states, inputs.new_empty(directions, inputs.size(0), size)


def operate(layer: nn.RNNBase, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`run_masked` by the operator."""
    weights = [getattr(layer, name) for name in _names(layer)]
    states, final = recurrent_layer(inputs, mask, weights, layer.mode)
    return states, final


def _names(layer: nn.RNNBase) -> list[str]:
    """Of the weights of each direction."""
    suffixes = ("", "_reverse")[: 2 if layer.bidirectional else 1]
    return [f"{name}_l0{suffix}" for suffix in suffixes for name in WEIGHTS]
