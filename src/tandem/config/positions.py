"""Whether learned positions reach far enough: known once the data is, and said before training."""

import numpy as np
import torch

from tandem.core.errors import InputError
from tandem.core.modes import evaluation_mode
from tandem.data.batching import Encoded
from tandem.data.module import DataModule
from tandem.layers.positions import position_limit
from tandem.models import Seq2Seq


def check_positions(model: Seq2Seq, data: DataModule, max_length: int) -> None:
    """Refuse learned positions that end before a source, a target or an output does.

    :param max_length: most symbols of an output.
    """
    limit = position_limit(model.decoder)
    if limit is not None and max_length > limit:
        raise InputError(
            f"An output may have max_length={max_length} symbols, but the decoder's learned "
            f"positions end at decoder.max_length={limit}; raise that, lower max_length, or choose "
            "decoder.positions=sinusoidal."
        )
    for name, encoded in data.prepared().items():
        longest = int(encoded.target.lengths.max()) + 1
        if limit is not None and longest > limit:
            raise InputError(
                f"The longest target of the {name} split has {longest} symbols, but the decoder's "
                f"learned positions end at decoder.max_length={limit}; raise that, or choose "
                "decoder.positions=sinusoidal."
            )
        _check_sources(model, encoded, name)


@torch.no_grad()
def _check_sources(model: Seq2Seq, encoded: Encoded, name: str) -> None:
    """Ask the frontend how many positions the longest source becomes."""
    limit = position_limit(model.encoder)
    if limit is None:
        return
    source, mask = encoded.source.batch(np.array([encoded.source.padded_lengths.argmax()]))
    with evaluation_mode(model):
        _, mask = model.frontend(source, mask)
    if mask.size(1) > limit:
        raise InputError(
            f"The longest source of the {name} split has {mask.size(1)} positions, but the "
            f"encoder's learned ones end at encoder.max_length={limit}; raise that, set "
            "data.truncate_source or data.max_source_length, or choose encoder.positions="
            "sinusoidal."
        )
