"""Small parts beside which a part of one's own is checked."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tandem.attentions import AdditiveAttention, MultiHeadAttention
from tandem.attentions.base import Attention
from tandem.bridges import LinearBridge
from tandem.bridges.base import Bridge
from tandem.decoders import RecurrentDecoder, TransformerDecoder
from tandem.decoders.base import Decoder
from tandem.encoders import RecurrentEncoder, TransformerEncoder
from tandem.encoders.base import Encoder
from tandem.frontends import TextFrontend
from tandem.frontends.base import Frontend
from tandem.models import Seq2Seq, assemble
from tandem.testing.sources import VOCABULARY

SIZE = 8
"""Of embeddings, memories and queries."""

text_frontend = partial(TextFrontend, embedding_size=SIZE, dropout=0.0)
additive = partial(AdditiveAttention, size=SIZE)
multi_head = partial(MultiHeadAttention, num_heads=2, dropout=0.0)
gru_encoder = partial(
    RecurrentEncoder,
    cell="gru",
    hidden_size=SIZE,
    num_layers=1,
    bidirectional=True,
    reverse=False,
    dropout=0.0,
    output_dropout=0.0,
)
transformer_layers: dict[str, Any] = {
    "hidden_size": SIZE,
    "num_heads": 2,
    "feed_forward_size": 2 * SIZE,
    "norm": "pre",
    "activation": "relu",
    "positions": "sinusoidal",
    "max_length": 64,
    "input_dropout": 0.0,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
}
transformer_encoder = partial(TransformerEncoder, num_layers=1, **transformer_layers)


def recurrent_decoder(
    *,
    attention: Callable[..., Attention] = additive,
    bridge: Callable[..., Bridge] = LinearBridge,
    cell: str = "gru",
    input_feeding: bool = False,
) -> Callable[..., Decoder]:
    """Makes a decoder of two recurrent layers."""
    return partial(
        RecurrentDecoder,
        attention=attention,
        bridge=bridge,
        cell=cell,
        hidden_size=SIZE,
        num_layers=2,
        input_feeding=input_feeding,
        output_size=SIZE,
        dropout=0.0,
    )


def transformer_decoder(
    *, attention: Callable[..., Attention] = multi_head
) -> Callable[..., Decoder]:
    """Makes a Transformer decoder of two layers, each with an attention of its own."""
    return partial(TransformerDecoder, attention=attention, num_layers=2, **transformer_layers)


def small_model(
    *,
    frontend: Callable[..., Frontend] = text_frontend,
    encoder: Callable[..., Encoder] = gru_encoder,
    decoder: Callable[..., Decoder] | None = None,
    source_size: int = VOCABULARY,
    ctc_weight: float = 0.0,
) -> Seq2Seq:
    """A model of these parts, with a GRU decoder unless there is another."""
    return assemble(
        frontend=frontend,
        encoder=encoder,
        decoder=decoder or recurrent_decoder(),
        embedding_size=SIZE,
        tie_embeddings="none",
        copying=False,
        dropout=0.0,
        ctc_weight=ctc_weight,
        source_size=source_size,
        target_size=VOCABULARY,
        shared_vocabulary=False,
    )
