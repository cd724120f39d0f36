"""Encoders that others have trained, by the package transformers."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.masks import masked_mean
from tandem.core.memory import Memory
from tandem.encoders.base import Encoder
from tandem.pretrained import ENCODERS, check_transformers
from tandem.pretrained.architectures import make_config
from tandem.pretrained.pictures import grid

SUMMARIES = ("mean", "first")
MEAN_OF_LAYERS = "mean"


class PretrainedEncoder(Encoder):
    """The encoder of a checkpoint of transformers, such as BERT, T5, wav2vec 2.0 or Whisper.

    Its constructor makes the network; weights come from the checkpoint in a step of their own.

    :param input_size: E, given by the builder: what a word embedding of the checkpoint has, or
        what its features make of a file.
    :param architecture: the checkpoint's ``config.json``, as
        :func:`tandem.pretrained.architectures.cleaned` leaves it.
    :param layer: whose states are the memory: a number from 0 (embeddings) to the number of layers;
        mean: a mean of all, whose weights are learnt (Peters et al. 2018, eq. 1); None: the last.
    :param summary: mean over the source, or the state of its first position ([CLS]).
    :param path: where the weights are to be read; not used here.
    :raises InputError: if sizes do not fit.
    """

    def __init__(
        self,
        input_size: int,
        *,
        architecture: Mapping[str, Any],
        layer: int | str | None,
        summary: str,
        path: str | None = None,
    ) -> None:
        super().__init__()
        check_transformers("encoder=pretrained", "choose another encoder")
        config = make_config(architecture)
        self.architecture = ENCODERS[config.model_type]
        self.network = self.architecture.build(config)
        if self.architecture.media == "text":
            cast(Any, self.network).set_input_embeddings(nn.Identity())  # the frontend has them
        self.output_size: int = config.hidden_size
        self.input_size = input_size
        if self.architecture.media == "text":
            self.input_size = getattr(config, "embedding_size", config.hidden_size)
        if input_size != self.input_size:
            raise InputError(
                f"encoder=pretrained reads embeddings of {self.input_size}, as its checkpoint has "
                f"them, but frontend.embedding_size is {input_size}; leave that out."
            )
        scales = self.architecture.scales_embeddings and config.scale_embedding
        self.scale = self.input_size**0.5 if scales else 1.0
        self.max_length = self.architecture.max_length(config)
        num_layers: int = config.num_hidden_layers
        self.layer = num_layers if layer is None else layer
        self.layer_weights = None
        if layer == MEAN_OF_LAYERS:
            self.layer_weights = nn.Parameter(torch.zeros(num_layers + 1))
        elif type(self.layer) is not int or not 0 <= self.layer <= num_layers:
            raise InputError(
                f"`encoder.layer` must be from 0 to {num_layers}, {MEAN_OF_LAYERS} or null, but is "
                f"{layer!r}."
            )
        if summary not in SUMMARIES:
            raise InputError(
                f"`encoder.summary` must be one of {', '.join(SUMMARIES)}, but is {summary!r}."
            )
        self.summary = summary

    def grid(self, rows: int, columns: int) -> tuple[int, int]:
        """See :class:`Encoder`: the patches of a picture of so many rows of pixels."""
        return grid(self.network.config, rows, self.input_size)

    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Inputs (B, S, E), mask (B, S) -> memory with states (B, S', M).

        S' is S of texts; of pictures it is the number of patches, and of recordings that of the
        positions that the network makes.
        """
        if self.max_length is not None and inputs.size(1) > self.max_length:
            raise InputError(
                f"A source has {inputs.size(1)} positions, but this pretrained encoder reads at "
                f"most {self.max_length}; set data.truncate_source or data.max_source_length."
            )
        output, mask = self.architecture.read(self.network, inputs * self.scale, mask)
        states = self._states(output)
        of_source = states[:, self.architecture.prefix :]
        summary = masked_mean(of_source, mask) if self.summary == "mean" else states[:, 0]
        return Memory(of_source, mask, summary)

    def _states(self, output: Any) -> Tensor:
        """What is chosen of the layers' outputs."""
        if self.layer_weights is not None:
            layers = torch.stack(output.hidden_states, -1)  # (B, S, M, L + 1)
            return layers @ self.layer_weights.softmax(0)
        if self.layer == len(output.hidden_states) - 1:
            return output.last_hidden_state
        return output.hidden_states[self.layer]
