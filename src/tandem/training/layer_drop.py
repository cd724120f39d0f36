"""Leaving out whole layers in training."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from tandem.core.errors import InputError
from tandem.core.types import Batch
from tandem.models.residual import residual_layers
from tandem.models.seq2seq import Seq2Seq
from tandem.training.noise import Noise, checked_probability


class LayerDrop(Noise):
    """Skips each residual layer with probability p for a batch: Fan et al. (2020), section 3.

    ``x_{l+1} = x_l`` instead of ``x_l + f_l(x_l)``. No layer's output is scaled, in training or in
    evaluation, which has all layers. A skipped layer is computed nevertheless, as a decoder's also
    gives the state and the weights of its attention, but it learns nothing from that batch.

    :param probability: p in [0, 1).
    """

    is_uniform = False

    def __init__(self, *, probability: float) -> None:
        self.probability = checked_probability("layer_drop.probability", probability)
        self._skipped: list[RemovableHandle] = []

    def check(self, model: Seq2Seq) -> None:
        """See :class:`Noise`."""
        if not residual_layers(model):
            raise InputError(
                "noise.layer_drop skips layers of a Transformer or Conformer, but this model has "
                "neither; choose encoder=transformer, encoder=conformer or decoder=transformer, "
                "or leave layer_drop out of `noise`."
            )

    def __call__(self, model: Seq2Seq, batch: Batch, step: int) -> Batch:
        """The same batch; the layers that it skips are drawn anew."""
        for handle in self._skipped:
            handle.remove()
        layers = residual_layers(model)
        chances = torch.rand(len(layers)).tolist()
        self._skipped = [
            layer.register_forward_hook(_skip)
            for layer, chance in zip(layers, chances, strict=True)
            if chance < self.probability
        ]
        return batch


def _skip(layer: nn.Module, arguments: tuple[Any, ...], result: Any) -> Tensor | tuple[Any, ...]:
    """What comes in as what comes out, in training."""
    if not layer.training:
        given: Tensor | tuple[Any, ...] = result
        return given
    states: Tensor = arguments[0]
    return (states, *result[1:]) if isinstance(result, tuple) else states
