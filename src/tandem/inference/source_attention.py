"""Where a model's attention looked while it wrote."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tandem.core.precision import wide_type
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.data.columns import SourceColumn
from tandem.data.features.base import Vectors
from tandem.data.preprocessing import Processors
from tandem.inference.forced_decoding import forced_decoding
from tandem.models.sequence_model import SequenceModel


@dataclass(frozen=True)
class SourceAttention:
    """The weights of the last attention layer for one output."""

    weights: Vectors
    """(T, S) a row for each symbol of the output, ``eos`` included if it has one."""
    source: list[str] | None
    """What stands at the S positions, a text's ``eos`` included; None for what is no text."""
    target: list[str]
    """The T symbols of the output."""

    def __repr__(self) -> str:
        """The output and the shape, not all weights."""
        return f"SourceAttention(target={self.target}, weights of shape {self.weights.shape})"


@torch.inference_mode()
def source_attention(
    model: SequenceModel,
    processors: Processors,
    column: SourceColumn,
    hypotheses: Sequence[Sequence[Hypothesis]],
    *,
    max_tokens: int,
) -> list[list[SourceAttention]]:
    """See :meth:`tandem.inference.Bundle.attention`; the sources have been read."""
    outputs = [one.tokens for ones in hypotheses for one in ones]
    sources = np.repeat(np.arange(len(hypotheses)), [len(ones) for ones in hypotheses])
    targets = [ids[:-1] if ids[-1] == SPECIAL_IDS.eos else ids for ids in outputs]
    found: dict[int, SourceAttention] = {}
    for part in forced_decoding(
        model, processors, column.take(sources), targets, max_tokens=max_tokens
    ):
        lengths = part.memory.mask.sum(1).tolist()
        weights = part.weights("attention()")  # (B, T, S)
        arrays: Vectors = weights.to(wide_type(weights.dtype)).cpu().numpy()
        for place, row in enumerate(part.rows):
            length = lengths[place]
            found[row] = SourceAttention(
                weights=arrays[place, : len(outputs[row]), :length].copy(),
                source=processors.source.labels(part.batch.source[place, :length].cpu().numpy()),
                target=processors.target.tokens(outputs[row]),
            )
    in_order = iter([found[row] for row in range(len(outputs))])
    return [[next(in_order) for _ in ones] for ones in hypotheses]
