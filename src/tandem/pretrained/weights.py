"""Weights of a checkpoint, held against the network that they are for."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from tandem.core.errors import InputError


@torch.no_grad()
def copy_weights(
    weights: Mapping[str, Tensor], stored: Mapping[str, Tensor], missing: Collection[str], key: str
) -> None:
    """Put weights into a network of the same kind.

    :param weights: of that network, by the names that the checkpoint has for them.
    :param stored: by name, those of the checkpoint.
    :param missing: names that its files lack, so that transformers has drawn them at random.
    :param key: what the user calls the checkpoint by.
    :raises InputError: if one is missing or of another shape.
    """
    for name, weight in weights.items():
        if name not in stored or name in missing:
            raise InputError(
                f"{key} has no weight {name}, which its network needs; get the whole checkpoint."
            )
        if stored[name].shape != weight.shape:
            raise InputError(
                f"{key} has the weight {name} in the shape {tuple(stored[name].shape)}, but its "
                f"config.json describes one of the shape {tuple(weight.shape)}; get the "
                "checkpoint again."
            )
        weight.copy_(stored[name])
