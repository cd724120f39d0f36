"""Weights of a network of another package, put into an encoder that stands."""

import torch

from tandem.core.errors import InputError
from tandem.encoders import ModuleEncoder
from tandem.models import Seq2Seq
from tandem.pretrained.tensor_file import TensorFile

COUNTER = "num_batches_tracked"
"""Of a normalisation over batches, which older files lack and which no result depends on."""


@torch.no_grad()
def fill_module(model: Seq2Seq, file: TensorFile) -> None:
    """Put the weights of a file into the module of ``encoder=module``.

    What the pictures never reach, such as a classifier, may be missing or have another shape,
    and the file may have more than the module.

    :raises InputError: if the file is unusable or of another network.
    """
    encoder = model.encoder
    assert isinstance(encoder, ModuleEncoder)
    stored = file.read()
    name = type(encoder.module).__name__
    for weight, current in encoder.module.state_dict().items():
        given = stored.get(weight)
        if given is not None and given.shape == current.shape:
            current.copy_(given)
        elif weight in encoder.without_part or weight.endswith(COUNTER):
            continue
        elif given is None:
            raise InputError(
                f"{file.key} has no {weight}, which {name} has; give the weights of the "
                "network that encoder.module makes, by the names that it has."
            )
        else:
            raise InputError(
                f"{file.key} has {weight} in the shape {tuple(given.shape)}, but that "
                f"of {name} is {tuple(current.shape)}; let encoder.module make the network "
                "that the file is of."
            )
