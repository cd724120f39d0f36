"""Whole models."""

from tandem.models.assemble import assemble, has_weights
from tandem.models.joint import JointStep
from tandem.models.seq2seq import Seq2Seq

__all__ = ["JointStep", "Seq2Seq", "assemble", "has_weights"]
