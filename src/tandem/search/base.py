"""What every search promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor

from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis

Step = Callable[[Tensor, State], tuple[Tensor, State]]
"""tokens (N,), state -> logits (N, V), next state."""


class Search(ABC):
    """Finds good target sequences by asking the model for one next symbol after another.

    It moves rows of a state only inside one source's hypotheses, and looks at nothing in it.
    """

    width: int
    """Hypotheses a source that are extended side by side."""

    @abstractmethod
    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """Search for all sources of a batch together.

        :param step: the model's next-symbol function.
        :param state: the state before the first symbol, one hypothesis a source.
        :param first: (B,) the symbol that each output begins with, as a rule ``bos``.
        :param max_length: most symbols of an output, ``eos`` included.
        :return: for each source its hypotheses, the best first.
        """


def until_eos(row: list[int]) -> list[int]:
    """Drop what stands behind the first ``eos``."""
    return row[: row.index(SPECIAL_IDS.eos) + 1] if SPECIAL_IDS.eos in row else row
