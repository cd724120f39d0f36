"""Where in the sequence a vector stands."""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.precision import wide_type

ADDED_KINDS = ("sinusoidal", "learned", "none")
KINDS = (*ADDED_KINDS, "rotary")

Offset = int | Tensor
"""Where the first of some vectors stands; a tensor () where a graph takes it as an input."""


class Angles(nn.Module):
    """Angles that grow with position, each at its own rate: Vaswani et al. (2017), section 3.5.

    The rates stay in float64 (float32 on MPS, which has no other) whatever type a model is
    converted to: in bfloat16 most of 1,000 positions would be the same.

    :param size: E, numbers that tell a position; two of them share a rate.
    """

    rates: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("rates", self._rates(torch.get_default_device()), persistent=False)

    def forward(self, offset: Offset, length: int) -> Tensor:
        """Angles (T, ceil(E / 2)) of T positions, the first of which is ``offset``."""
        steps = offset + torch.arange(length, device=self.rates.device)
        return steps.unsqueeze(1) * self.rates

    def _rates(self, device: torch.device) -> Tensor:
        dtype = torch.float32 if device.type == "mps" else torch.float64
        half = torch.arange((self.size + 1) // 2, dtype=dtype, device=device)
        return 10000.0 ** (-2 * half / self.size)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Follow a model to another device, but not to another type."""
        device = fn(self.rates.new_zeros(1, dtype=torch.float32)).device
        if device != self.rates.device:
            self.rates = self._rates(device)
        return self


class SinusoidalPositions(nn.Module):
    """Adds sin and cos of the position: Vaswani et al. (2017), section 3.5.

    The sines fill the first half of the vector and the cosines the second, which is the paper's
    interleaving up to a fixed permutation.

    :param size: E.
    :param amplitude: of the sines and cosines; the paper's is 1, for inputs of unit variance.
    """

    def __init__(self, size: int, amplitude: float = 1.0) -> None:
        super().__init__()
        self.angles = Angles(size)
        self.amplitude = amplitude

    def forward(self, inputs: Tensor, offset: Offset) -> Tensor:
        """Inputs (B, T, E), of which the first stands at ``offset`` -> (B, T, E)."""
        _, length, size = inputs.shape
        angles = self.angles(offset, length)  # (T, ceil(E / 2))
        table = torch.cat((angles.sin(), angles.cos()), dim=1)[:, :size]  # (T, E)
        return inputs + (table * self.amplitude).to(inputs.dtype)


class LearnedPositions(nn.Module):
    """Adds a trained vector for each position: Gehring et al. (2017), section 3.1."""

    def __init__(self, size: int, max_length: int) -> None:
        super().__init__()
        self.table = nn.Embedding(max_length, size)
        nn.init.normal_(self.table.weight, std=size**-0.5)

    def forward(self, inputs: Tensor, offset: Offset) -> Tensor:
        """Inputs (B, T, E), of which the first stands at ``offset`` -> (B, T, E)."""
        length = inputs.size(1)
        if isinstance(offset, Tensor) or torch.compiler.is_exporting():  # for any length
            return inputs + self.table(offset + torch.arange(length, device=inputs.device))
        end = offset + length
        if end > self.table.num_embeddings:
            raise InputError(
                f"A sequence of {end} symbols is longer than `max_length` "
                f"({self.table.num_embeddings}) of the learned positions; shorten it, or train "
                "with a larger `max_length` or with positions=sinusoidal."
            )
        return inputs + self.table.weight[offset:end]


def position_limit(module: nn.Module) -> int | None:
    """The longest sequence that the learned positions in a module allow; None: it has none."""
    tables = (part.table for part in module.modules() if isinstance(part, LearnedPositions))
    return min((table.num_embeddings for table in tables), default=None)


class NoPositions(nn.Module):
    """Leaves the inputs as they are; order, if any, comes from elsewhere."""

    def forward(self, inputs: Tensor, offset: Offset) -> Tensor:
        """(B, T, E) -> the same."""
        return inputs


class Rotary(nn.Module):
    """Turns queries and keys by an angle that grows with position: Su et al. (2021), eq. 34.

    Each two neighbours are the real and the imaginary part of a number that is multiplied by
    ``exp(i position rate)``: one product over long rows, forward and backward.

    :param size: size of one head, even.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        if size % 2:
            raise InputError(
                f"Rotary positions need heads of even size, but a head has size {size}; "
                "choose `hidden_size` and `num_heads` so that their ratio is even."
            )
        self.size = size
        self.angles = Angles(size)

    def forward(self, heads: Tensor, offset: Offset) -> Tensor:
        """Heads side by side (B, T, heads x size), of which the first position is ``offset`` ->
        the same, turned.
        """
        length, width = heads.shape[1:]
        angles = self.angles(offset, length)  # (T, size / 2)
        pairs = heads.to(wide_type(heads.dtype)).unflatten(2, (-1, 2))  # (B, T, width / 2, 2)
        # A compiler fuses real products, and knows no complex ones.
        turn = _real_turn if torch.compiler.is_compiling() else _complex_turn
        return turn(pairs, angles, width // self.size).flatten(2).to(heads.dtype)


def _complex_turn(pairs: Tensor, angles: Tensor, heads: int) -> Tensor:
    """Pairs (B, T, heads x A, 2) times ``exp(i angles)`` of angles (T, A) -> the same shape."""
    turns = torch.polar(torch.ones_like(angles), angles).repeat(1, heads)  # (T, heads x A)
    numbers = torch.view_as_complex(pairs)  # (B, T, heads x A)
    return torch.view_as_real(numbers * turns.to(numbers.dtype))


def _real_turn(pairs: Tensor, angles: Tensor, heads: int) -> Tensor:
    """The same by real products."""
    cos, sin = (part.to(pairs.dtype).repeat(1, heads) for part in (angles.cos(), angles.sin()))
    real, imaginary = pairs.unbind(3)  # (B, T, heads x A)
    return torch.stack((real * cos - imaginary * sin, real * sin + imaginary * cos), 3)


def added_positions(
    kind: str,
    size: int,
    max_length: int,
    kinds: tuple[str, ...] = ADDED_KINDS,
    amplitude: float = 1.0,
) -> nn.Module:
    """Make the module that adds positions to the inputs; rotary ones are added in attention.

    :param kind: one of ``kinds``.
    :param kinds: what the caller can do: ``KINDS`` if it has self-attention.
    :param amplitude: of sinusoidal positions.
    :raises InputError: if the kind is unknown to the caller.
    """
    if kind not in kinds:
        raise InputError(f"`positions` must be one of {', '.join(kinds)}, but is {kind!r}.")
    if kind == "sinusoidal":
        return SinusoidalPositions(size, amplitude)
    if kind == "learned":
        return LearnedPositions(size, max_length)
    return NoPositions()
