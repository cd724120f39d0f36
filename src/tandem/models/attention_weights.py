"""Whether a decoder's attention has weights."""

import torch

from tandem.core.memory import Memory
from tandem.decoders.base import Decoder


@torch.no_grad()
def gives_weights(decoder: Decoder, *, input_size: int, memory_size: int) -> bool:
    """Whether its attention has weights, found by asking it once.

    :param input_size: E.
    :param memory_size: M.
    """
    like = next(decoder.parameters())
    nothing = like.new_zeros(1, 1, memory_size)
    memory = Memory(nothing, nothing[:, :, 0] == 0, nothing[:, 0])
    asked = decoder(like.new_zeros(1, 1, input_size), decoder.start(memory))
    return asked.weights is not None
