"""Readers of the input sequence."""

from tandem.encoders.base import Encoder
from tandem.encoders.cnn import CNNEncoder
from tandem.encoders.conformer import ConformerEncoder
from tandem.encoders.module import ModuleEncoder
from tandem.encoders.none import NoEncoder
from tandem.encoders.pretrained import PretrainedEncoder
from tandem.encoders.recurrent import RecurrentEncoder
from tandem.encoders.transformer import TransformerEncoder

__all__ = [
    "CNNEncoder",
    "ConformerEncoder",
    "Encoder",
    "ModuleEncoder",
    "NoEncoder",
    "PretrainedEncoder",
    "RecurrentEncoder",
    "TransformerEncoder",
]
