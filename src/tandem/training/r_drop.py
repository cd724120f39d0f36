"""R-Drop: two passes with other dropout should say the same, Liang et al. (2021)."""

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from tandem.core.types import FIRST_OUTPUT
from tandem.inference.teacher_forcing import TeacherForced, log_probs, rows_of_chunk
from tandem.models.seq2seq import Seq2Seq
from tandem.training.chunked_losses import disagreement


def passes_disagree(model: Seq2Seq, forced: TeacherForced, *, compiled: bool) -> Tensor:
    """:func:`~tandem.training.chunked_losses.disagreement` of the two passes of a doubled batch.

    With copying the gradient computes the logits again, so that those of a chunk of positions
    exist at a time.
    """
    if forced.copied is None:
        return disagreement(*model.output.factors(forced.features), compiled=compiled)
    half = len(forced.features) // 2

    def at(rows: Tensor) -> Tensor:
        first, second = (
            log_probs(model, forced, part)[:, FIRST_OUTPUT:] for part in (rows, rows + half)
        )
        return ((first.exp() - second.exp()) * (first - second)).sum() / 2

    size = rows_of_chunk(forced.features, model.vocabulary_size)
    chunks = torch.arange(half, device=forced.features.device).split(size)
    return torch.stack([checkpoint(at, rows, use_reentrant=False) for rows in chunks]).sum() / half
