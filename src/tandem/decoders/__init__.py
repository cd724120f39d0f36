"""Writers of the output sequence."""

from tandem.decoders.base import Decoded, Decoder
from tandem.decoders.cnn import CNNDecoder
from tandem.decoders.pretrained import PretrainedDecoder
from tandem.decoders.recurrent import RecurrentDecoder
from tandem.decoders.transformer import TransformerDecoder

__all__ = [
    "CNNDecoder",
    "Decoded",
    "Decoder",
    "PretrainedDecoder",
    "RecurrentDecoder",
    "TransformerDecoder",
]
