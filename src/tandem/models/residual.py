"""Layers that add to what they read, and so can be left out."""

from torch import nn

from tandem.layers.transformer import Residual
from tandem.models.seq2seq import Seq2Seq


def residual_layers(model: Seq2Seq) -> list[nn.Module]:
    """The layers of Transformers and Conformers, in the order of the model's parts.

    What comes in as a layer's first argument comes out, changed, as its only or first result.
    """
    return [
        layer
        for part in (model.encoder, model.decoder)
        for layer in part.layer_outputs
        if any(isinstance(module, Residual) for module in layer.children())
    ]
