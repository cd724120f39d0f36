"""Whole models."""

from tandem.models.assemble import assemble, has_weights
from tandem.models.coverage import CoverageStep
from tandem.models.joint import JointStep
from tandem.models.seq2seq import Seq2Seq
from tandem.models.stepper import Stepper

__all__ = ["CoverageStep", "JointStep", "Seq2Seq", "Stepper", "assemble", "has_weights"]
