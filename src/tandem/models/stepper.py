"""What search asks for next symbols: the model itself, or a step around it."""

from typing import Protocol

from torch import Tensor

from tandem.core.memory import Memory
from tandem.core.state import State


class Stepper(Protocol):
    """Scores what may come next; :class:`tandem.models.Seq2Seq` is one."""

    @property
    def normalized(self) -> bool:
        """Whether scores are log-probabilities already, which can be summed; else logits."""

    def start(self, memory: Memory) -> State:
        """The state before the first symbol, one hypothesis a source."""

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N,) ids -> scores (N, V) of what comes next, and the next state."""
