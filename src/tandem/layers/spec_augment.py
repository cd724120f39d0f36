"""Hiding parts of a spectrogram in training: SpecAugment, Park et al. (2019), section 2."""

import torch
from torch import Tensor, nn

from tandem.core.errors import InputError


class SpecAugment(nn.Module):
    """Sets random stretches of frames and of bands to 0, anew for each example of each batch.

    Zero is the mean of normalised bands. Without the paper's time warping, which it finds to
    contribute least. Widths are drawn evenly from 0 to the largest.

    :param time_masks: number of stretches of frames.
    :param time_width: their largest length, in frames.
    :param time_share: their largest length as a part of the recording, the paper's p; the lesser
        of the two holds.
    :param frequency_masks: number of stretches of bands.
    :param frequency_width: their largest width, in bands.
    """

    def __init__(
        self,
        *,
        time_masks: int,
        time_width: int,
        time_share: float,
        frequency_masks: int,
        frequency_width: int,
    ) -> None:
        super().__init__()
        for name, value in (
            ("time_masks", time_masks),
            ("time_width", time_width),
            ("frequency_masks", frequency_masks),
            ("frequency_width", frequency_width),
        ):
            if value < 0:
                raise InputError(f"`frontend.{name}` must be at least 0, but is {value}.")
        if not 0 <= time_share <= 1:
            raise InputError(
                f"`frontend.time_share` must be a part between 0 and 1, but is {time_share}."
            )
        self.time_masks, self.time_width, self.time_share = time_masks, time_width, time_share
        self.frequency_masks, self.frequency_width = frequency_masks, frequency_width

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Frames (B, C, F, bands) of lengths (B,) -> the same; unchanged in evaluation."""
        if not self.training:
            return frames
        batch, _, longest, bands = frames.shape
        widest = (lengths.float() * self.time_share).long().clamp(max=self.time_width)  # (B,)
        hidden_frames = _stretches(lengths, widest, longest, self.time_masks)
        every = torch.full_like(lengths, bands)
        widest = every.clamp(max=self.frequency_width)
        hidden_bands = _stretches(every, widest, bands, self.frequency_masks)
        hidden = hidden_frames.view(batch, 1, longest, 1) | hidden_bands.view(batch, 1, 1, bands)
        return frames.masked_fill(hidden, 0.0)

    def extra_repr(self) -> str:
        """Show the options when the model is printed."""
        return (
            f"time_masks={self.time_masks}, time_width={self.time_width}, "
            f"time_share={self.time_share}, "
            f"frequency_masks={self.frequency_masks}, frequency_width={self.frequency_width}"
        )


def _stretches(lengths: Tensor, widest: Tensor, longest: int, count: int) -> Tensor:
    """Draw ``count`` stretches inside of each of lengths (B,) -> (B, longest), True in them."""
    drawn = torch.rand(2, len(lengths), count, 1, dtype=torch.float32, device=lengths.device)
    widths, starts = drawn  # (B, count, 1)
    widths = (widths * (widest.view(-1, 1, 1) + 1)).long()
    starts = (starts * (lengths.view(-1, 1, 1) - widths + 1)).long()
    places = torch.arange(longest, device=lengths.device)
    return ((places >= starts) & (places < starts + widths)).any(dim=1)
