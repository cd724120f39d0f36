"""Checkpoints of others: what a folder or a name on the Hugging Face Hub holds, read as data."""

from tandem.pretrained.architectures import ENCODERS, EncoderArchitecture
from tandem.pretrained.checkpoint import Checkpoint, check_transformers

__all__ = ["ENCODERS", "Checkpoint", "EncoderArchitecture", "check_transformers"]
