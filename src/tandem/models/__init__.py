"""Whole models."""

from tandem.models.assemble import assemble
from tandem.models.seq2seq import Seq2Seq

__all__ = ["Seq2Seq", "assemble"]
