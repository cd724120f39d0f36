"""What every scorer promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor

from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.models.sequence_model import SequenceModel


class Scorer(ABC):
    """Has a say in what comes next, beside the decoder: shallow fusion with another model, say.

    Scorers are asked one after the other, and each changes what those before it leave. It is no
    module of its own and holds nothing of a search: that is in its state.
    """

    @abstractmethod
    def check(self, model: SequenceModel) -> None:
        """Refuse a model that lacks what this scorer reads.

        :raises InputError: in one sentence.
        """

    @abstractmethod
    def start(self, model: SequenceModel, memory: Memory) -> State:
        """Its state before the first symbol, one hypothesis a source.

        :param model: the one that has read the sources.
        :param memory: what it has read.
        """

    @abstractmethod
    def __call__(
        self,
        tokens: Tensor,
        log_probs: Tensor,
        weights: Callable[[], Tensor] | None,
        state: State,
    ) -> tuple[Tensor, State]:
        """Change what the decoder says of the next symbols.

        :param tokens: (N,) ids that the decoder has read just now.
        :param log_probs: (N, V) what it says after them, at least float32, changed by the scorers
            before this one.
        :param weights: makes the last attention's weights at this step, (N, S); None if it has
            none.
        :return: (N, V) of the same kind, which are summed to the score of an output, and the next
            state.
        """
