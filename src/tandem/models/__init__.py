"""Whole models."""

from tandem.models.assemble import assemble, has_weights
from tandem.models.seq2seq import Seq2Seq

__all__ = ["Seq2Seq", "assemble", "has_weights"]
