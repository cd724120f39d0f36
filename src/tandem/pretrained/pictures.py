"""How networks for pictures of transformers read rows of pixels."""

from typing import Any

import torch
from torch import Tensor

from tandem.core.errors import InputError

MOST_POSITIONS = 2**27
"""Most numbers in the positions of all patches; published networks have some millions."""


def sides(size: Any) -> tuple[int, int]:
    """Height and width, where a config has one number for both or a pair."""
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return int(height), int(width)


def grid(config: Any, rows: int, row_size: int) -> tuple[int, int]:
    """Rows and columns of patches in a picture of so many rows of pixels, each of so many values.

    :raises InputError: if there is no whole patch.
    """
    height, width = sides(config.patch_size)
    columns, rest = divmod(row_size, config.num_channels)
    if rest or min(rows // height, columns // width) < 1:
        raise InputError(
            f"This pretrained encoder reads pictures of {config.num_channels} channels in patches "
            f"of {height} x {width} pixels, but these have {rows} rows of {row_size} values; let "
            "`features` follow the checkpoint."
        )
    return rows // height, columns // width


def _are_sides(size: Any, least: Any = 1) -> bool:
    """Whether a config's size is a whole number or two, none below another size."""
    pair = size if isinstance(size, list | tuple) else (size, size)
    if len(pair) != 2 or any(type(side) is not int for side in pair):
        return False
    return all(side >= other for side, other in zip(pair, sides(least), strict=True))


def check_positions(config: Any) -> None:
    """Refuse positions that no network has, before room is made for them.

    :raises InputError: if there are none, or so many.
    """
    if not _are_sides(config.patch_size) or not _are_sides(config.image_size, config.patch_size):
        raise InputError(
            f"`encoder.architecture.image_size` ({config.image_size}) must be at least "
            f"`encoder.architecture.patch_size` ({config.patch_size}), each a whole number or two; "
            "get the checkpoint's config.json again."
        )
    (height, width), (rows, columns) = sides(config.image_size), sides(config.patch_size)
    if height * width * config.hidden_size > MOST_POSITIONS * rows * columns:
        raise InputError(
            f"`encoder.architecture.image_size` ({height} x {width}) makes more patches of "
            f"{rows} x {columns} pixels than any network has positions for; get the checkpoint's "
            "config.json again."
        )


def read_pixels(network: Any, inputs: Tensor, mask: Tensor) -> tuple[Any, Tensor]:
    """Rows of pixels (B, H, W * channels), all of them real -> the output, the mask of patches.

    The states of the output have [CLS] and its like in front. Pictures of another size than those
    of the network's training get its positions resampled.
    """
    config = network.config
    patches = grid(config, inputs.size(1), inputs.size(2))
    pictures = inputs.unflatten(2, (-1, config.num_channels)).permute(0, 3, 1, 2)  # (B, C, H, W)
    resampled = {}
    if config.model_type not in RESAMPLES_BY_ITSELF:
        other = tuple(pictures.shape[2:]) != sides(config.image_size)
        resampled = {"interpolate_pos_encoding": other}
    output = network(
        pixel_values=pictures, output_hidden_states=True, return_dict=True, **resampled
    )
    return output, mask.new_ones((len(inputs), patches[0] * patches[1]), dtype=torch.bool)


RESAMPLES_BY_ITSELF = ("dinov2", "dinov2_with_registers")
"""Networks that are not told so."""
