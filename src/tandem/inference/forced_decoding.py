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
from tandem.data.columns import SourceColumn
from tandem.data.preprocessing import Processors
from tandem.data.ragged import Ragged
from tandem.inference.decoding import encode
from tandem.inference.teacher_forcing import TeacherForced, teacher_force
from tandem.models.sequence_model import SequenceModel


@dataclass(frozen=True)
class ForcedBatch:
    """What the model says of some pairs."""

    rows: list[int]
    """Which pairs they are."""
    batch: Batch
    memory: Memory
    forced: TeacherForced

    def weights(self, asker: str) -> Tensor:
        """The last attention's weights (B, T, S).

        :param asker: what asks for them.
        :raises InputError: if the attention has none.
        """
        if self.forced.weights is None:
            raise InputError(
                f"{asker} needs attention weights, but this model's attention has none; leave it "
                "out, or train with another attention, such as attention=additive."
            )
        return self.forced.weights()


@torch.inference_mode()
def forced_decoding(
    model: SequenceModel,
    processors: Processors,
    column: SourceColumn,
    targets: list[list[int]],
    *,
    max_tokens: int,
) -> Iterator[ForcedBatch]:
    """Force each target on the decoder, batches of similar lengths in turn.

    :param column: the sources, which have been read.
    :param targets: ids for each source, without ``eos``; an empty one ends at once.
    :param max_tokens: symbols of a batch on either side, padding counted; of vectors ten times
        that.
    """
    encoded = Encoded(column, Ragged.from_lists(targets), np.arange(len(targets)))
    room = max_tokens * processors.source.positions_per_symbol
    budget = Budget(max_tokens=max_tokens, max_source_tokens=room, max_sentences=None)
    for chosen in plan_batches(encoded, budget, rng=None):
        batch = encoded.collate(chosen).to(model.device)
        memory = encode(model, batch)
        yield ForcedBatch(chosen.tolist(), batch, memory, teacher_force(model, memory, batch))
