"""Whole models."""

from tandem.models.assemble import assemble
from tandem.models.seq2seq import Seq2Seq
from tandem.models.sequence_model import SequenceModel

__all__ = ["Seq2Seq", "SequenceModel", "assemble"]
