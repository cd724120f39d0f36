"""Ways of looking back at the source, each usable under every decoder."""

from tandem.attentions.additive import AdditiveAttention
from tandem.attentions.base import Attended, Attention
from tandem.attentions.concat import ConcatAttention
from tandem.attentions.dot import DotAttention
from tandem.attentions.general import GeneralAttention
from tandem.attentions.local_m import MonotonicLocalAttention
from tandem.attentions.local_p import PredictiveLocalAttention
from tandem.attentions.location import LocationAttention
from tandem.attentions.multi_head import MultiHeadAttention
from tandem.attentions.none import NoAttention

__all__ = [
    "AdditiveAttention",
    "Attended",
    "Attention",
    "ConcatAttention",
    "DotAttention",
    "GeneralAttention",
    "LocationAttention",
    "MonotonicLocalAttention",
    "MultiHeadAttention",
    "NoAttention",
    "PredictiveLocalAttention",
]
