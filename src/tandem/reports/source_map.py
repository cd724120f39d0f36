"""Attention over any source: the picture, the recording or the text that was read."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tandem.core.errors import InputError
from tandem.reports.attention_map import AttentionMap, draw
from tandem.reports.image_map import draw_image
from tandem.reports.speech_map import draw_speech

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def source_drawing(
    tokens: list[str],
    weights: NDArray[np.floating],
    *,
    media: str,
    labels: list[str] | None = None,
    preview: tuple[NDArray[Any], float] | None = None,
    grid: tuple[int, int] | None = None,
) -> "Callable[[str], Figure]":
    """What draws weights (T, S') under a title.

    :param tokens: T labels of what was written.
    :param media: what the source is; what is neither image nor audio gets its labels.
    :param labels: of the S positions of a source; None, or another number than S': their numbers.
    :param preview: of an image its picture, of audio its spectrogram and how many seconds it has.
    :param grid: rows and columns of an image's positions.
    """
    if preview is not None:
        picture, seconds = preview
        if media == "image" and grid is not None:
            return partial(draw_image, picture, tokens, weights, grid)
        if media == "audio":
            return partial(draw_speech, picture, seconds / len(picture), tokens, weights)
    if labels is None or len(labels) != weights.shape[1]:  # a frontend may change the length
        labels = [str(place) for place in range(1, weights.shape[1] + 1)]
    return partial(draw, AttentionMap(labels, tokens, weights))


class Inspected(Protocol):
    """What :meth:`tandem.inference.Bundle.inspect` returns."""

    @property
    def source(self) -> Any:
        """What was read: ``given``, ``media``, ``tokens``, ``preview`` and ``grid``."""

    @property
    def outputs(self) -> Sequence[Any]:
        """What was written, the best first: ``text`` and ``tokens`` of each."""

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """By name."""

    @property
    def lacks(self) -> Mapping[str, str]:
        """Why something is not among them."""


def draw_attention(seen: Inspected) -> "Figure":
    """Draw where the decoder looked as it wrote the best output.

    A text stands along the top; over a picture the weights are laid for each symbol; a recording
    is shown as a spectrogram above them.

    :param seen: what ``bundle.inspect(source)`` returned.
    :raises InputError: if the model has no attention weights.
    """
    weights = seen.arrays.get("decoder/attention")
    if weights is None:
        raise InputError(
            f"There is no attention to draw: {seen.lacks['decoder_attention'].rstrip('.')}; look "
            "at other arrays."
        )
    source, best = seen.source, seen.outputs[0]
    drawing = source_drawing(
        best.tokens,
        weights,
        media=source.media,
        labels=source.tokens,
        preview=source.preview,
        grid=source.grid,
    )
    return drawing(best.text)
