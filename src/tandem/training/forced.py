"""What the model says when the right target is forced on it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from tandem.core.memory import Memory
from tandem.core.types import Batch
from tandem.models.copying import Copied
from tandem.models.ctc import CTC
from tandem.models.seq2seq import Seq2Seq
from tandem.training.losses import CHUNK_ROWS, disagreement, score_losses, token_losses


@dataclass(frozen=True)
class Forced:
    """The R real target positions of a batch."""

    features: Tensor
    """(R, D), what the vocabulary layer reads."""
    target: Tensor
    """(R,) ids."""
    copied: Copied | None
    """What may be copied at each of them."""
    weights: Callable[[], Tensor] | None
    """Makes the last attention's weights at all positions, (B, T, S)."""


def force(model: Seq2Seq, memory: Memory, batch: Batch) -> Forced:
    """One pass over the targets of a batch."""
    predicted = model.decode(batch.target_in, model.start(memory))
    real = batch.target_mask.flatten().nonzero().squeeze(1)  # (R,)
    return Forced(
        features=predicted.features.flatten(0, 1)[real],
        target=batch.target_out.flatten()[real],
        copied=None if predicted.copied is None else predicted.copied.at(real),
        weights=predicted.weights,
    )


def forced_losses(model: Seq2Seq, forced: Forced) -> tuple[Tensor, Tensor]:
    """``-log p`` (R,) of each target symbol, in nats, and whether it is the most probable."""
    if forced.copied is None:
        return token_losses(forced.features, model.output.weight, forced.target)
    parts = zip(
        forced.features.split(CHUNK_ROWS),
        forced.copied.split(CHUNK_ROWS),
        forced.target.split(CHUNK_ROWS),
        strict=True,
    )
    found = [
        score_losses(copied.log_probs(model.output(features)), target)
        for features, copied, target in parts
    ]
    losses, hits = zip(*found, strict=True)
    return torch.cat(losses), torch.cat(hits)


def passes_disagree(model: Seq2Seq, forced: Forced) -> Tensor:
    """:func:`~tandem.training.losses.disagreement` of the two passes of a doubled batch.

    With copying, and off the CPU, the gradient computes the logits again, so that those of
    ``CHUNK_ROWS`` positions exist at a time.
    """
    if forced.copied is None and forced.features.device.type == "cpu":
        return disagreement(forced.features, model.output.weight)
    half = len(forced.features) // 2

    def at(rows: Tensor) -> Tensor:
        first, second = (log_probs(model, forced, part) for part in (rows, rows + half))
        return ((first.exp() - second.exp()) * (first - second)).sum() / 2

    chunks = torch.arange(half, device=forced.features.device).split(CHUNK_ROWS)
    return torch.stack([checkpoint(at, rows, use_reentrant=False) for rows in chunks]).sum() / half


def log_probs(model: Seq2Seq, forced: Forced, rows: Tensor) -> Tensor:
    """What the model says at some positions (R',), at least in float32: (R', V)."""
    logits = model.output(forced.features[rows])
    if forced.copied is not None:
        return forced.copied.at(rows).log_probs(logits)
    return logits.log_softmax(-1, torch.promote_types(logits.dtype, torch.float32))


def ctc_losses(ctc: CTC, memory: Memory, batch: Batch) -> tuple[Tensor, Tensor]:
    """CTC's loss (B,) of each whole target without ``eos``, and whether it can be aligned."""
    return ctc.losses(memory, batch.target_out, batch.target_mask.sum(1) - 1)
