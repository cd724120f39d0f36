"""Connectionist temporal classification over the memory: Graves et al. (2006)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.memory import Memory
from tandem.core.precision import wide_type
from tandem.core.types import SPECIAL_IDS

BLANK = SPECIAL_IDS.pad
"""No target has padding inside, so its id is free for "no symbol at this position"."""

IMPOSSIBLE = -1e30
"""The logarithm of no probability for torch's loss, whose gradient makes nan of -inf."""


class CTC(nn.Module):
    """Says at each memory position which target symbol, or blank, stands there.

    :param memory_size: M, given by the encoder.
    :param target_size: V, symbols of the target vocabulary.
    """

    def __init__(self, *, memory_size: int, target_size: int) -> None:
        super().__init__()
        self.output = nn.Linear(memory_size, target_size)

    def log_probs(self, memory: Memory) -> Tensor:
        """(B, S, V), at least float32; ``-inf`` for ``bos`` and ``eos``, which stand nowhere."""
        logits = self.output(memory.states)
        logits = logits.to(wide_type(logits.dtype))
        logits[..., SPECIAL_IDS.bos : SPECIAL_IDS.eos + 1] = -torch.inf
        return logits.log_softmax(-1)


def alignment_losses(
    log_probs: Tensor, mask: Tensor, target: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """``-log p(y)`` in nats, summed over all alignments of each target.

    :param log_probs: (B, S, V), what CTC says.
    :param mask: (B, S) bool, the memory's.
    :param target: (B, T) ids; what stands behind a row's length is not looked at.
    :param lengths: (B,) symbols of each target, ``eos`` not counted.
    :return: (B,), 0 where no alignment exists, and (B,) bool: whether one does.
    """
    positions = mask.sum(1)
    losses = F.ctc_loss(
        log_probs.clamp_min(IMPOSSIBLE).transpose(0, 1),  # (S, B, V)
        target,
        positions,
        lengths,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
    return losses, positions >= needed_positions(target, lengths)


def needed_positions(target: Tensor, lengths: Tensor) -> Tensor:
    """(B,) positions of the shortest alignment: one a symbol, and a blank between two equal ones.

    :param target: (B, T)
    :param lengths: (B,)
    """
    places = torch.arange(1, target.size(1), device=target.device)
    repeats = (target[:, 1:] == target[:, :-1]) & (places < lengths.unsqueeze(1))
    return lengths + repeats.sum(1)
