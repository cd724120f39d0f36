"""What every decoder promises."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from tandem.attentions.base import Weights
from tandem.core.memory import Memory
from tandem.core.state import State


@dataclass(frozen=True)
class Decoded:
    """A decoder's output for T more target positions."""

    features: Tensor
    """(N, T, D), what the vocabulary layer reads."""
    weights: Weights
    """Makes the last attention's weights (N, T, S); None if it has none."""
    state: State


class Decoder(nn.Module, ABC):
    """Writes the output, any number of positions at a call.

    Training passes the whole target, search one position at a time with the state that the last
    call returned; feeding ``x[:, :t]`` and then ``x[:, t:]`` equals feeding ``x``.
    """

    output_size: int
    """D, size of the features."""

    max_length: int | None = None
    """Most positions that its inputs may have, if its structure is somebody else's; None: there is
    no such limit."""

    can_be_exported: bool = True
    """Whether its state has a form that a graph can have, the same at each step."""

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """A module for each layer, in order, that a pass calls once and that returns the states
        (N, T, H) after that layer, alone or as the first of several; none: the layers are no such
        modules.
        """
        return []

    @abstractmethod
    def start(self, memory: Memory) -> State:
        """The state before the first symbol, one hypothesis a source."""

    @abstractmethod
    def forward(self, inputs: Tensor, state: State) -> Decoded:
        """Inputs (N, T, E), the embedded symbols so far unseen -> features (N, T, D)."""
