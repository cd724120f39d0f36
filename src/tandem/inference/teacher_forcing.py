"""Teacher forcing: what the model says when it reads the right target."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from tandem.core.devices import on_cpu
from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.precision import wide_type
from tandem.core.types import Batch
from tandem.models.copying import Copied
from tandem.models.ctc import alignment_losses
from tandem.models.sequence_model import SequenceModel

CHUNK_ROWS = 256
"""Rows whose logits exist at a time on a CPU; few enough to stay in its cache."""

CHUNK_BYTES = 2**28
"""Of the logits that exist at a time elsewhere; enough rows to keep a device busy."""


@dataclass(frozen=True)
class TeacherForced:
    """The R real target positions of a batch."""

    features: Tensor
    """(R, D), what the vocabulary layer reads."""
    target: Tensor
    """(R,) ids."""
    copied: Copied | None
    """What may be copied at each of them."""
    weights: Callable[[], Tensor] | None
    """Makes the last attention's weights at all positions, (B, T, S)."""


def teacher_force(model: SequenceModel, memory: Memory, batch: Batch) -> TeacherForced:
    """One pass over the targets of a batch."""
    predicted = model.decode(batch.target_in, model.start(memory))
    real = batch.target_positions
    return TeacherForced(
        features=predicted.features.flatten(0, 1)[real],
        target=batch.target_out.flatten()[real],
        copied=None if predicted.copied is None else predicted.copied.at(real),
        weights=predicted.weights,
    )


def rows_of_chunk(features: Tensor, vocabulary: int) -> int:
    """How many rows of features (R, D) get their logits at a time, at least ``CHUNK_ROWS``."""
    if on_cpu(features):
        return CHUNK_ROWS
    rows = CHUNK_BYTES // (vocabulary * features.element_size())
    return max(CHUNK_ROWS, rows - rows % CHUNK_ROWS)


def teacher_forced_losses(model: SequenceModel, forced: TeacherForced) -> tuple[Tensor, Tensor]:
    """``-log p`` (R,) of each target symbol, in nats, and whether it is the most probable."""
    rows = rows_of_chunk(forced.features, model.vocabulary_size)
    features, targets = forced.features.split(rows), forced.target.split(rows)
    copied = [None] * len(targets) if forced.copied is None else forced.copied.split(rows)
    losses, hits = zip(
        *(
            score_losses(model.scores(*part), target)
            for *part, target in zip(features, copied, targets, strict=True)
        ),
        strict=True,
    )
    return torch.cat(losses), torch.cat(hits)


def log_probs(model: SequenceModel, forced: TeacherForced, rows: Tensor) -> Tensor:
    """What the model says at some positions (R',), at least in float32: (R', V)."""
    copied = None if forced.copied is None else forced.copied.at(rows)
    scores = model.scores(forced.features[rows], copied)
    return scores if model.normalized else scores.log_softmax(-1, wide_type(scores.dtype))


def ctc_losses(model: SequenceModel, memory: Memory, batch: Batch) -> tuple[Tensor, Tensor]:
    """CTC's loss (B,) of each whole target without ``eos``, and whether it can be aligned."""
    lengths = batch.target_mask.sum(1) - 1
    return alignment_losses(model.ctc_log_probs(memory), memory.mask, batch.target_out, lengths)


def score_losses(scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """From logits or log-probabilities (R, V): what :func:`teacher_forced_losses` returns."""
    wide = scores.to(wide_type(scores.dtype))
    return F.cross_entropy(wide, target, reduction="none"), scores.argmax(1) == target


class TeacherForcedTotals:
    """Sums over a split of what the model says when the right target is forced on it."""

    def __init__(self, model: SequenceModel) -> None:
        self.model = model
        self.sums = torch.zeros(4, dtype=torch.float64)
        """Loss in nats, symbols guessed right, symbols, CTC's loss in nats; where the model is."""

    def add(self, memory: Memory, batch: Batch) -> None:
        """Count a batch; the host does not wait for the sums."""
        losses, hits = teacher_forced_losses(self.model, teacher_force(self.model, memory, batch))
        ctc = losses.new_zeros(())
        if self.model.has_ctc:
            ctc = ctc_losses(self.model, memory, batch)[0].double().sum()
        symbols = losses.new_full((), len(hits), dtype=torch.float64)
        sums = (losses.double().sum(), hits.sum().double(), symbols, ctc.double())
        self.sums = self.sums.to(losses.device) + torch.stack(sums)

    def means(self, prefix: str) -> dict[str, float]:
        """Loss a symbol, perplexity and token accuracy (in percent); raises if not finite.

        ``loss`` is the decoder's alone. With CTC, ``ctc_loss`` is its loss a symbol, in which
        targets that cannot be aligned count as 0.
        """
        loss, hits, tokens, ctc_loss = self.sums.tolist()
        mean = loss / max(1, tokens)
        if not math.isfinite(mean):
            raise InputError(
                f"The loss {prefix}/loss is {mean}, so the run stops and the last good checkpoint "
                "stays; lower optimizer.lr or set trainer.gradient_clip_val=1."
            )
        means = {
            f"{prefix}/loss": mean,
            f"{prefix}/perplexity": math.exp(min(mean, 700.0)),
            f"{prefix}/token_accuracy": 100 * hits / max(1, tokens),
        }
        if self.model.has_ctc:
            means[f"{prefix}/ctc_loss"] = ctc_loss / max(1, tokens)
        return means
