"""Forced decoding: what a trained model says of given targets, whoever wrote them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.types import Batch
from tandem.data.batching import Budget, Encoded, plan_batches
from tandem.data.ragged import Ragged
from tandem.inference.bundle import Bundle
from tandem.inference.decoding import encode
from tandem.inference.teacher_forcing import TeacherForced, teacher_force


@dataclass(frozen=True)
class ForcedBatch:
    """What the model says of some pairs."""

    rows: list[int]
    """Which pairs they are."""
    batch: Batch
    memory: Memory
    forced: TeacherForced

    def weights(self, option: str) -> Tensor:
        """The last attention's weights (B, T, S).

        :param option: what asks for them.
        :raises InputError: if the attention has none.
        """
        if self.forced.weights is None:
            raise InputError(
                f"{option}=true needs attention weights, but this model's attention has none; set "
                f"{option}=false or train with another one, such as attention=additive."
            )
        return self.forced.weights()


@torch.inference_mode()
def forced_decoding(
    bundle: Bundle, sources: list[str], targets: list[list[int]], *, max_tokens: int
) -> Iterator[ForcedBatch]:
    """Force each target on the decoder, batches of similar lengths in turn.

    :param sources: texts, or the paths of pictures or recordings.
    :param targets: ids for each source, without ``eos``; an empty one ends at once.
    :param max_tokens: symbols of a batch on either side, padding counted; of vectors ten times
        that.
    :raises InputError: if a source is unusable.
    """
    if not sources:
        return
    reader = bundle.processors.source
    column = reader.read(sources)
    encoded = Encoded(column, Ragged.from_lists(targets), np.arange(len(targets)))
    room = max_tokens * reader.positions_per_symbol
    budget = Budget(max_tokens=max_tokens, max_source_tokens=room, max_sentences=None)
    for chosen in plan_batches(encoded, budget, rng=None):
        batch = encoded.collate(chosen).to(next(bundle.model.parameters()).device)
        memory = encode(bundle.model, batch)
        yield ForcedBatch(
            chosen.tolist(), batch, memory, teacher_force(bundle.model, memory, batch)
        )
