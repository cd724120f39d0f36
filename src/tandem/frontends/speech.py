"""Speech: log-mel frames, shortened by convolutions."""

import torch
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.masks import zero_padding
from tandem.frontends.base import Frontend
from tandem.layers.dropout import Dropout
from tandem.layers.spec_augment import SpecAugment

CONVOLUTIONS = {"none": 0, "conv2": 1, "conv4": 2}
"""Kinds of subsampling, and how many convolutions of stride 2 each has."""


class SpeechFrontend(Frontend):
    """SpecAugment, 2-D convolutions over time and frequency, and a linear map.

    The convolutions are those of the Speech-Transformer (Dong et al. 2018, section 3.1): kernels
    of 3 x 3, stride 2 on both axes, ReLU; here a position of the result stands where each second
    frame stood. Padded frames count as zeros before each of them. On one core, forward and backward
    over 7,600 frames of 80 bands take 0.13 s with conv4 or conv2 and 32 channels, 0.07 s with 16,
    0.5 s with 64, 0.02 s without; but the encoder behind has four times as many positions then.

    The attribute ``stride`` tells how many source vectors one position stands for.

    :param source_size: size of a vector, given by the data.
    :param stack: frames side by side in a vector; they become channels.
    :param embedding_size: E, size of the result.
    :param subsampling: none, conv2 (half as many positions) or conv4 (a quarter).
    :param channels: of the convolutions.
    :param time_masks: stretches of vectors that SpecAugment hides.
    :param time_width: their largest length, in vectors.
    :param time_share: their largest length as a part of the recording.
    :param frequency_masks: stretches of bands that it hides.
    :param frequency_width: their largest width, in bands.
    :param dropout: probability on the result.
    """

    media = "audio"
    table = None

    def __init__(
        self,
        *,
        source_size: int,
        stack: int,
        embedding_size: int,
        subsampling: str,
        channels: int,
        time_masks: int,
        time_width: int,
        time_share: float,
        frequency_masks: int,
        frequency_width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        if subsampling not in CONVOLUTIONS:
            raise InputError(
                f"`frontend.subsampling` ({subsampling}) must be one of {', '.join(CONVOLUTIONS)}."
            )
        if stack < 1 or source_size % stack:
            raise InputError(
                f"`frontend.stack` ({stack}) must divide the {source_size} numbers of a source "
                "vector; set it to features.stack."
            )
        if channels < 1:
            raise InputError(f"`frontend.channels` must be at least 1, but is {channels}.")
        self.stack = stack
        self.augment = SpecAugment(
            time_masks=time_masks,
            time_width=time_width,
            time_share=time_share,
            frequency_masks=frequency_masks,
            frequency_width=frequency_width,
        )
        count = CONVOLUTIONS[subsampling]
        planes = [stack] + [channels] * count
        self.convolutions = nn.ModuleList(
            nn.Conv2d(planes[place], planes[place + 1], kernel_size=3, stride=2, padding=1)
            for place in range(count)
        )
        self.stride = 2**count
        bands = -(-(source_size // stack) // self.stride)  # rounded up
        self.output = nn.Linear(planes[-1] * bands, embedding_size)
        self._start_as_embeddings()
        self.dropout = Dropout(dropout)
        self.output_size = embedding_size

    def _start_as_embeddings(self) -> None:
        """Give the result of normalised frames the variance 1 / E that embeddings start with."""
        for name, parameter in self.convolutions.named_parameters():
            if name.endswith("weight"):
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")
            else:
                nn.init.zeros_(parameter)
        size, inner = self.output.weight.shape
        nn.init.normal_(self.output.weight, std=(size * inner) ** -0.5)
        nn.init.zeros_(self.output.bias)

    def forward(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Source (B, S, width) -> inputs (B, ceil(S / stride), E), mask of the same length."""
        mask = source_mask
        batch, length, _ = source.shape
        source = zero_padding(source.to(self.output.weight.dtype), mask)
        planes = source.view(batch, length, self.stack, -1).transpose(1, 2)  # (B, stack, S, bands)
        planes = self.augment(planes, mask.sum(1)).contiguous(memory_format=torch.channels_last)
        for convolution in self.convolutions:
            planes = torch.relu(convolution(planes))  # (B, C, S, bands) -> S / 2, bands / 2
            mask = mask[:, ::2]
            planes = planes.masked_fill(~mask[:, None, :, None], 0.0)
        features = planes.permute(0, 2, 3, 1).flatten(2)  # (B, S', bands * C)
        return self.dropout(self.output(features)), mask
