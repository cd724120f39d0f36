"""Sources with which outputs begin, as those of a language model do."""

from dataclasses import replace

from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.readers import SourceReader
from tandem.inference.decoding import Decoding


def prompted(
    decoding: Decoding, reader: SourceReader, source: Tensor, *, max_length: int
) -> Decoding:
    """The same decoding for a batch whose outputs begin as its sources say, if they say it.

    :param source: of the batch, (B, S, ...).
    :param max_length: most symbols of an output, ``eos`` included.
    :raises InputError: if a prompt leaves no room.
    """
    prompts = reader.prompts(source)
    if prompts is not None and prompts.size(1) >= max_length:
        raise InputError(
            f"A prompt has {prompts.size(1)} symbols, but an output has at most {max_length} with "
            "its end; shorten the prompt, or train with a larger max_length."
        )
    return replace(decoding, prompts=prompts)
