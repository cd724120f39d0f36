"""Any network of another package that maps pictures to a grid of vectors."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from tandem.core.errors import InputError, reason_of
from tandem.core.masks import masked_mean
from tandem.core.memory import Memory
from tandem.encoders.base import Encoder
from tandem.layers.dropout import Dropout
from tandem.layers.pixels import Pixels
from tandem.layers.positions_2d import added_positions_2d

MOST_PIXELS = 2**24
"""Of a picture, as the constructor tries one out."""


class ModuleEncoder(Encoder):
    """Reads pictures by a module (B, channels, H, W) -> (B, C, h, w) or (B, n, C).

    The cells of the grid, row by row, are the memory's positions, and their mean is the summary.
    How large the grid and its vectors are is tried out with one black picture. Parameters that do
    not take part in them, such as those of a classifier, are frozen.

    All pictures must have one height, as those of one ``features`` have: then there is no padding
    that a normalisation over batch or picture could see.

    :param input_size: size of a row of pixels between -1 and 1, given by the builder.
    :param module: the network; its weights come from ``path`` in a step of their own.
    :param method: the name of the module's method that maps pictures; None: the module itself.
    :param mean: of each channel, for pixels between 0 and 1: it is subtracted ...
    :param std: ... and by this each channel is divided.
    :param image_height: H, rows of pixels of a picture.
    :param image_width: W, pixels in a row.
    :param channels: values of a pixel.
    :param hidden_size: M, size of the states, to which vectors are normed and mapped; None: C, and
        states are the module's vectors.
    :param positions: sinusoidal, learned or none: of row and column, added to the states.
    :param shift: in training each picture is moved by at most so many pixels; 0: not at all.
    :param dropout: probability on the states.
    :param path: where the module's weights are to be read; not used here.
    :raises InputError: if the module does not fit.
    """

    middle: Tensor
    scale: Tensor
    without_part: set[str]
    """The names of the module's parameters that pictures never reach."""

    def __init__(
        self,
        input_size: int,
        *,
        module: nn.Module,
        method: str | None,
        mean: Sequence[float],
        std: Sequence[float],
        image_height: int,
        image_width: int,
        channels: int,
        hidden_size: int | None,
        positions: str,
        shift: int,
        dropout: float,
        path: str | None = None,
    ) -> None:
        super().__init__()
        self.module = _checked(module, method)
        self.method = method
        self.image_height = image_height
        self.pixels = Pixels(
            source_size=input_size, image_width=image_width, channels=channels, shift=shift
        )
        _check_pictures(image_height, image_width)
        middle = 2 * _by_channel("mean", mean, channels) - 1  # as pixels are from -1 to 1
        self.register_buffer("middle", middle, persistent=False)
        self.register_buffer("scale", 2 * _by_channel("std", std, channels), persistent=False)
        size, *self._grid = self._try_out((1, channels, image_height, image_width))
        self.projection = (
            nn.Identity()
            if hidden_size is None
            else nn.Sequential(nn.LayerNorm(size), nn.Linear(size, hidden_size))
        )
        self.output_size = hidden_size or size
        self.positions = added_positions_2d(positions, self.output_size, *self._grid)
        self.dropout = Dropout(dropout)

    def grid(self, rows: int, columns: int) -> tuple[int, int]:
        """See :class:`Encoder`; one cell for each vector if the module makes no grid."""
        height, width = self._grid
        return height, width

    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Rows of pixels (B, H, W * channels), mask (B, H) -> states (B, h * w, M)."""
        if inputs.size(1) != self.image_height:
            raise InputError(
                f"encoder=module reads pictures of {self.image_height} rows, but these have "
                f"{inputs.size(1)}; let `image_height` follow `features`."
            )
        images = self.pixels.pictures(inputs, mask).permute(0, 3, 1, 2)  # channels last in memory
        states = self.projection(self._grids(images))  # (B, h, w, M)
        states = self.dropout(self.positions(states)).flatten(1, 2)
        whole = mask.new_ones(states.shape[:2])
        return Memory(states, whole, masked_mean(states, whole))

    def _grids(self, images: Tensor) -> Tensor:
        """Pictures (B, channels, H, W) between -1 and 1 -> vectors (B, h, w, C)."""
        network: Callable[[Tensor], Tensor] = getattr(self.module, self.method or "__call__")
        made = network((images - self.middle) / self.scale)
        if made.dim() == 3:
            return made.unflatten(1, (_rows(made.size(1), *images.shape[2:]), -1))
        return made.permute(0, 2, 3, 1)

    def _try_out(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """C, h and w for pictures (B, channels, H, W); what has no part in them is frozen."""
        was_training = self.module.training
        self.module.eval()  # a normalisation must not learn from this
        weights = {name: one for name, one in self.module.named_parameters() if one.requires_grad}
        parameters = list(weights.values())
        try:
            with torch.enable_grad():
                made = self._grids(torch.zeros(shape, dtype=_dtype(self.module)))
                _, height, width, size = made.shape
                gradients: Sequence[Tensor | None] = parameters
                if parameters and made.requires_grad:
                    gradients = torch.autograd.grad(made.sum(), parameters, allow_unused=True)
        except Exception as error:  # whatever a network of others makes of it
            raise InputError(
                f"encoder.module ({type(self.module).__name__}) does not map pictures {shape} to "
                f"a grid (B, C, h, w) or to vectors (B, n, C) ({reason_of(error)[:200]}); correct "
                "`encoder.method`, or what makes the module."
            ) from error
        self.module.train(was_training)
        self.without_part = {
            name for name, gradient in zip(weights, gradients, strict=True) if gradient is None
        }
        for name in self.without_part:
            weights[name].requires_grad_(False)
        return size, height, width


def _checked(module: nn.Module, method: str | None) -> nn.Module:
    if not isinstance(module, nn.Module):
        raise InputError(
            f"`encoder.module` must make an nn.Module, but makes a {type(module).__name__}; "
            "correct its _target_."
        )
    if method is not None and (
        method.startswith("_") or not callable(getattr(module, method, None))
    ):
        raise InputError(
            f"`encoder.method` ({method}) is no public method of {type(module).__name__}; "
            "correct it."
        )
    return module


def _check_pictures(height: int, width: int) -> None:
    if height * width > MOST_PIXELS:
        raise InputError(
            f"encoder=module reads pictures of at most {MOST_PIXELS:,} pixels, but these have "
            f"{height} x {width}; lower features.image_height and features.image_width."
        )


def _by_channel(name: str, values: Sequence[float], channels: int) -> Tensor:
    """Numbers of a channel each as a tensor (channels, 1, 1)."""
    if len(values) != channels:
        raise InputError(
            f"`encoder.{name}` must have a number for each of the {channels} channels of the "
            f"pictures, but is {list(values)}."
        )
    return torch.tensor(values, dtype=torch.get_default_dtype()).view(channels, 1, 1)


def _rows(cells: int, height: int, width: int) -> int:
    """Of a grid of so many cells in the shape of a picture; one row if there is none."""
    rows = round((cells * height / width) ** 0.5)
    return rows if rows and rows * rows * width == cells * height else 1


def _dtype(module: nn.Module) -> torch.dtype:
    """That of its weights."""
    return next((one.dtype for one in module.parameters()), torch.get_default_dtype())
