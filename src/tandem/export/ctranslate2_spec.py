"""A Transformer's weights where CTranslate2 looks for them."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from ctranslate2.specs import common_spec, transformer_spec
from torch import Tensor, nn

from tandem.attentions.multi_head import MultiHeadAttention
from tandem.core.types import FIRST_OUTPUT
from tandem.decoders.transformer import TransformerDecoder, TransformerDecoderLayer
from tandem.encoders.transformer import TransformerEncoder, TransformerEncoderLayer
from tandem.layers.positions import LearnedPositions
from tandem.layers.transformer import FeedForward, ScaledInputs, SelfAttention
from tandem.models import Seq2Seq

Spec = Any
"""A part of the description: an object with an attribute for each weight."""
Stack = TransformerEncoder | TransformerDecoder

IMPOSSIBLE = -1e9
"""The bias of a symbol that no output holds."""
ACTIVATIONS = {
    F.relu: common_spec.Activation.RELU,
    F.gelu: common_spec.Activation.GELU,
    F.silu: common_spec.Activation.SWISH,
}


@torch.no_grad()
def transformer(model: Seq2Seq, *, positions: int) -> transformer_spec.TransformerSpec:
    """Describe a model.

    :param model: a Transformer with multi-head attention over a text.
    :param positions: rows of the tables of positions that are computed, not learned.
    """
    encoder, decoder = model.encoder, model.decoder
    assert isinstance(encoder, TransformerEncoder)
    assert isinstance(decoder, TransformerDecoder)
    source_table = model.frontend.table
    assert source_table is not None
    spec = transformer_spec.TransformerSpec(
        transformer_spec.TransformerEncoderSpec(len(encoder.layers), **_options(encoder)),
        transformer_spec.TransformerDecoderSpec(len(decoder.layers), **_options(decoder)),
    )
    for part_spec, part in ((spec.encoder, encoder), (spec.decoder, decoder)):
        if _first(part)[1].rotary is None:
            part_spec.position_encodings.encodings = _position_table(part.inputs, positions)
        if isinstance(part.norm, nn.LayerNorm):
            _set_norm(part_spec.layer_norm, part.norm)
    _set_embeddings(spec.encoder.embeddings[0], source_table, encoder.inputs)
    _set_embeddings(spec.decoder.embeddings, model.target_table, decoder.inputs)
    for layer_spec, layer in zip(spec.encoder.layer, encoder.layers, strict=True):
        _set_encoder_layer(layer_spec, cast(TransformerEncoderLayer, layer))
    for layer_spec, layer in zip(spec.decoder.layer, decoder.layers, strict=True):
        _set_decoder_layer(layer_spec, cast(TransformerDecoderLayer, layer))
    bias = torch.zeros(len(model.output.weight))
    if model.output.bias is not None:
        bias += _plain(model.output.bias)
    bias[:FIRST_OUTPUT] = IMPOSSIBLE
    projection = spec.decoder.projection
    projection.weight, projection.bias = _plain(model.output.weight), bias
    return spec


def _options(stack: Stack) -> dict[str, Any]:
    """What all layers of a stack have in common."""
    layer, attention = _first(stack)
    return {
        "num_heads": attention.num_heads,
        "pre_norm": layer.feed_forward_residual.is_pre,
        "activation": ACTIVATIONS[layer.feed_forward.activation],
        "rotary_dim": None if attention.rotary is None else attention.rotary.size,
    }


def _first(stack: Stack) -> tuple[TransformerEncoderLayer | TransformerDecoderLayer, SelfAttention]:
    """The first layer and its self-attention."""
    layer = stack.layers[0]
    if isinstance(layer, TransformerEncoderLayer):
        return layer, layer.attention
    assert isinstance(layer, TransformerDecoderLayer)
    return layer, layer.self_attention


def _position_table(inputs: ScaledInputs, positions: int) -> Tensor:
    """(positions, H) what is added at each position; zeros if nothing is."""
    if isinstance(inputs.positions, LearnedPositions):
        return _plain(inputs.positions.table.weight)
    table: Tensor = inputs.positions(torch.zeros(1, positions, round(inputs.scale**2)), 0)
    return table[0]


def _set_embeddings(spec: Spec, table: nn.Embedding, inputs: ScaledInputs) -> None:
    """(V, E) -> (V, H): with the map to the size of the layers, if there is one, made before."""
    spec.weight = _plain(inputs.input(table.weight))


def _set_encoder_layer(spec: Spec, layer: TransformerEncoderLayer) -> None:
    _set_self_attention(spec.self_attention, layer.attention, layer.attention_residual.norm)
    _set_feed_forward(spec.ffn, layer.feed_forward, layer.feed_forward_residual.norm)


def _set_decoder_layer(spec: Spec, layer: TransformerDecoderLayer) -> None:
    attention = layer.attention
    assert isinstance(attention, MultiHeadAttention)
    _set_self_attention(spec.self_attention, layer.self_attention, layer.self_residual.norm)
    _set_norm(spec.attention.layer_norm, layer.residual.norm)
    for linear_spec, linear in zip(
        spec.attention.linear, (attention.query, attention.key_value, layer.context), strict=True
    ):
        _set_linear(linear_spec, linear)
    _set_feed_forward(spec.ffn, layer.feed_forward, layer.feed_forward_residual.norm)


def _set_self_attention(spec: Spec, attention: SelfAttention, norm: nn.Module) -> None:
    _set_norm(spec.layer_norm, norm)
    _set_linear(spec.linear[0], attention.project)
    _set_linear(spec.linear[1], attention.output)


def _set_feed_forward(spec: Spec, feed_forward: FeedForward, norm: nn.Module) -> None:
    _set_norm(spec.layer_norm, norm)
    _set_linear(spec.linear_0, feed_forward.expand)
    _set_linear(spec.linear_1, feed_forward.contract)


def _set_linear(spec: Spec, linear: nn.Linear) -> None:
    spec.weight, spec.bias = _plain(linear.weight), _plain(linear.bias)


def _set_norm(spec: Spec, norm: nn.Module) -> None:
    assert isinstance(norm, nn.LayerNorm)
    spec.gamma, spec.beta = _plain(norm.weight), _plain(norm.bias)


def _plain(weight: Tensor) -> Tensor:
    """A copy, as the weights of a description are quantized in place."""
    return weight.detach().to("cpu", torch.float32, copy=True).contiguous()
