"""What every search promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis


@dataclass(frozen=True)
class Step:
    """What the model says about the next symbol."""

    scores: Callable[[Tensor, State], tuple[Tensor, State]]
    """tokens (N,), state -> scores (N, V), next state."""
    normalized: bool
    """Whether scores can be summed as they are, like log-probabilities; else they are logits."""


class Search(ABC):
    """Finds good target sequences by asking the model for one next symbol after another.

    It moves rows of a state only inside one source's hypotheses, and looks at nothing in it.
    """

    width: int
    """Hypotheses a source that are extended side by side."""

    ctc_weight: float | None
    """The share of CTC that the step's scores should have; None: what it was in training."""

    coverage_penalty: float = 0.0
    """What an output loses for source positions that it hardly attends to: Wu et al.'s beta."""

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


def checked_ctc_weight(weight: float | None) -> float | None:
    """The same weight; raises InputError if it is no share."""
    if weight is not None and not in_range(weight, 0, 1):
        raise InputError(f"`search.ctc_weight` must be from 0 to 1 or null, but is {weight}.")
    return weight


def checked_coverage_penalty(penalty: float) -> float:
    """The same value; raises InputError if it is no penalty."""
    if not in_range(penalty, 0, 100):
        raise InputError(f"`search.coverage_penalty` must be from 0 to 100, but is {penalty!r}.")
    return penalty


def checked_count(name: str, value: int, *, least: int) -> int:
    """The same value; raises InputError if it is no whole number of at least ``least``."""
    if type(value) is not int or value < least:
        raise InputError(
            f"`search.{name}` must be a whole number of at least {least}, but is {value!r}."
        )
    return value


def in_range(value: float, low: float, high: float) -> bool:
    """Whether a value is a number between two others or equal to one of them."""
    return type(value) in (int, float) and low <= value <= high


def until_eos(row: list[int]) -> list[int]:
    """Drop what stands behind the first ``eos``."""
    return row[: row.index(SPECIAL_IDS.eos) + 1] if SPECIAL_IDS.eos in row else row
