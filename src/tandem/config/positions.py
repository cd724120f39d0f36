"""Whether positions reach far enough: known once the data is, and said before training."""

import numpy as np
import torch

from tandem.core.errors import InputError
from tandem.core.modes import evaluation_mode
from tandem.data.batching import Encoded
from tandem.data.module import DataModule
from tandem.decoders import Decoder
from tandem.encoders import Encoder
from tandem.layers.positions import position_limit
from tandem.models import Seq2Seq


def check_positions(model: Seq2Seq, data: DataModule, max_length: int) -> None:
    """Refuse positions that end before a source, a target or an output does.

    :param max_length: most symbols of an output.
    """
    limit, end, remedy = _limit(model.decoder, "decoder")
    if limit is not None and max_length > limit:
        raise InputError(
            f"An output may have max_length={max_length} symbols, but {end}; lower max_length, or "
            f"{remedy}."
        )
    for name, encoded in data.prepared().items():
        longest = int(encoded.target.lengths.max()) + 1
        if limit is not None and longest > limit:
            raise InputError(
                f"The longest target of the {name} split has {longest} symbols, but {end}; set "
                f"data.max_target_length, or {remedy}."
            )
        _check_sources(model, encoded, name)


def _limit(part: Encoder | Decoder, key: str) -> tuple[int | None, str, str]:
    """How many positions a part has, in a clause, and how to have more."""
    limit = position_limit(part)
    if limit is not None:
        clause = f"the {key}'s learned positions end at {key}.max_length={limit}"
        return limit, clause, f"raise that, or choose {key}.positions=sinusoidal"
    clause = f"the pretrained {key} has positions for {part.max_length}"
    return part.max_length, clause, f"choose another {key}"


@torch.no_grad()
def _check_sources(model: Seq2Seq, encoded: Encoded, name: str) -> None:
    """Ask the frontend how many positions the longest source becomes."""
    limit, end, remedy = _limit(model.encoder, "encoder")
    if limit is None:
        return
    source, mask = encoded.source.batch(np.array([encoded.source.padded_lengths.argmax()]))
    with evaluation_mode(model):
        _, mask = model.frontend(source, mask)
    if mask.size(1) > limit:
        raise InputError(
            f"The longest source of the {name} split has {mask.size(1)} positions, but {end}; set "
            f"data.truncate_source or data.max_source_length, or {remedy}."
        )
