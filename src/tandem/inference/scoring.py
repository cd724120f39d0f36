"""Scores of given targets: the model as a judge instead of a writer."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tandem.core.memory import Memory
from tandem.core.types import SPECIAL_IDS
from tandem.data.columns import SourceColumn
from tandem.data.preprocessing import Processors
from tandem.data.readers import SourceReader
from tandem.inference.forced_decoding import forced_decoding
from tandem.inference.teacher_forcing import teacher_forced_losses
from tandem.models.sequence_model import SequenceModel


@dataclass(frozen=True)
class ScoredPair:
    """The log-probabilities that the decoder gives to one target."""

    tokens: list[str]
    """The target's symbols, ``<eos>`` the last."""
    log_probs: list[float]
    """Natural logarithm of each symbol's probability given those before it."""
    alignment: list[int] | None
    """For each symbol but ``eos`` the source position that attention weighs most, from 0."""

    @property
    def log_prob(self) -> float:
        """Of the whole target."""
        return sum(self.log_probs)

    @property
    def pharaoh(self) -> str:
        """The alignment as pairs source-target."""
        pairs = enumerate(self.alignment or ())
        return " ".join(f"{source}-{target}" for target, source in pairs)


@torch.inference_mode()
def score_pairs(
    model: SequenceModel,
    processors: Processors,
    column: SourceColumn,
    targets: list[str],
    *,
    alignment: bool,
    max_tokens: int,
) -> list[ScoredPair]:
    """See :meth:`tandem.inference.Bundle.score`; the sources have been read."""
    ids = processors.target.encode_batch(targets)
    scored: dict[int, ScoredPair] = {}
    for part in forced_decoding(model, processors, column, ids, max_tokens=max_tokens):
        losses, _ = teacher_forced_losses(model, part.forced)  # (R,)
        by_target = losses.double().split(part.batch.target_mask.sum(1).tolist())
        positions = None
        if alignment:
            weights = part.weights("alignment=true")
            positions = most_weighed(weights, part.memory, processors.source).tolist()
        for place, row in enumerate(part.rows):
            target = [*ids[row], SPECIAL_IDS.eos]
            scored[row] = ScoredPair(
                tokens=processors.target.tokens(target),
                log_probs=(-by_target[place]).tolist(),
                alignment=None if positions is None else positions[place][: len(target) - 1],
            )
    return [scored[row] for row in range(len(targets))]


def most_weighed(weights: Tensor, memory: Memory, reader: SourceReader) -> Tensor:
    """The source symbol (B, T) with the largest weight, from 0; ``eos`` and its like are none.

    :param weights: (B, T, S)
    """
    ends = memory.mask.sum(1, keepdim=True) - reader.specials_after  # (B, 1)
    positions = torch.arange(weights.size(2), device=weights.device)
    real = (positions >= reader.specials_before) & (positions < ends)  # (B, S)
    return weights.masked_fill(~real.unsqueeze(1), -1.0).argmax(2) - reader.specials_before
