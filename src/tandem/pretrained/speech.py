"""How networks for speech of transformers read padded batches, so that padding is invisible."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.masks import lengths_to_mask
from tandem.pretrained.samples import Recordings, from_rows


class MaskedConvolutions(nn.Module):
    """The convolutions of wav2vec 2.0 and of HuBERT over waveforms of different lengths.

    They have no padding, so that what lies behind a recording's end changes none of its own
    positions, but for a norm over time (``feat_extract_norm=group``), which is computed over the
    recording's own positions here. A recording shorter than what one position sees is filled up
    with zeros.

    :param extractor: those of transformers, whose layers it takes with their names.
    """

    def __init__(self, extractor: Any) -> None:
        super().__init__()
        self.conv_layers: Any = extractor.conv_layers

    def filled(self, recordings: Recordings, least: int) -> Recordings:
        """The same, each with as many samples as one position sees at least.

        :param least: how many positions, padding included, the longest is to have.
        """
        samples, lengths = recordings
        missing = max(0, self._sight(least) - samples.size(1))
        return Recordings(F.pad(samples, (0, missing)), lengths.clamp(min=self._sight(1)))

    def lengths(self, samples: Tensor) -> Tensor:
        """Numbers of samples -> numbers of positions."""
        for layer in self.conv_layers:
            samples = _positions(samples, layer.conv)
        return samples

    def forward(self, recordings: Recordings) -> Tensor:
        """Recordings (B, N), filled -> states (B, C, S')."""
        states, lengths = recordings.samples[:, None], recordings.lengths  # (B, 1, N)
        for layer in self.conv_layers:
            lengths = _positions(lengths, layer.conv)
            norm = getattr(layer, "layer_norm", None)
            if isinstance(norm, nn.GroupNorm):
                states = layer.activation(_norm_over_time(layer.conv(states), lengths, norm))
            else:
                states = layer(states)
        return states

    def _sight(self, positions: int) -> int:
        """How many samples so many positions see."""
        sight = positions
        for layer in reversed(self.conv_layers):
            sight = (sight - 1) * layer.conv.stride[0] + layer.conv.kernel_size[0]
        return int(sight)


def mask_convolutions(network: Any) -> None:
    """Let a network of transformers convolve waveforms so."""
    network.feature_extractor = MaskedConvolutions(network.feature_extractor)


def _positions(lengths: Tensor, convolution: nn.Conv1d) -> Tensor:
    width, stride = convolution.kernel_size[0], convolution.stride[0]
    return torch.div(lengths - width, stride, rounding_mode="floor") + 1


def _norm_over_time(states: Tensor, lengths: Tensor, norm: nn.GroupNorm) -> Tensor:
    """Normalise each channel over a recording's own positions: (B, C, S) -> the same."""
    wide = states.to(torch.promote_types(states.dtype, torch.float32))
    mask = lengths_to_mask(lengths, states.size(2))[:, None]  # (B, 1, S)
    count = lengths[:, None, None]
    mean = wide.masked_fill(~mask, 0.0).sum(2, keepdim=True) / count  # (B, C, 1)
    centered = wide - mean
    variance = (centered**2).masked_fill(~mask, 0.0).sum(2, keepdim=True) / count
    normed = (centered * torch.rsqrt(variance + norm.eps)).to(states.dtype)
    return normed * norm.weight[:, None] + norm.bias[:, None]


def read_waveforms(network: Any, inputs: Tensor, mask: Tensor) -> tuple[Any, Tensor]:
    """Rows of samples (B, S, E), mask (B, S) -> the network's output, the mask of its positions."""
    convolutions = network.feature_extractor
    # in training it hides stretches of positions, which must not be longer than a batch
    least = network.config.mask_time_length if network.training else 1
    recordings = convolutions.filled(from_rows(inputs, mask), least)
    samples, lengths = recordings
    output = network(
        input_values=recordings,  # which go to the convolutions alone
        attention_mask=lengths_to_mask(lengths, samples.size(1)),
        output_hidden_states=True,
        return_dict=True,
    )
    positions = output.last_hidden_state.size(1)
    return output, lengths_to_mask(convolutions.lengths(lengths), positions)


def read_window(network: Any, inputs: Tensor, mask: Tensor) -> tuple[Any, Tensor]:
    """Whisper's frames (B, S, E), mask (B, S) -> the network's output, the mask of its positions.

    The last frame of a recording, silence, is repeated up to the end of the window. All positions
    are real, since the network attends to silence, too, as does the decoder that it was trained
    with.
    """
    window = network.config.max_source_positions * network.conv1.stride[0] * network.conv2.stride[0]
    places = torch.arange(window, device=mask.device)  # (W,)
    places = torch.minimum(places, mask.sum(1, keepdim=True) - 1)  # (B, W)
    frames = inputs.gather(1, places[:, :, None].expand(-1, -1, inputs.size(2)))  # (B, W, E)
    output = network(
        input_features=frames.transpose(1, 2), output_hidden_states=True, return_dict=True
    )
    states = output.last_hidden_state
    return output, torch.ones(states.shape[:2], dtype=torch.bool, device=mask.device)
