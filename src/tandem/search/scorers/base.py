"""What every scorer promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from torch import Tensor

from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.models.sequence_model import SequenceModel
from tandem.search.vocabulary import Vocabulary


class Scorer(ABC):
    """Adds scores for the next token to the decoder's, such as those of a language model.

    Scorers are asked one after the other, and each changes what those before it leave. It is no
    module of its own and holds nothing of a search: that is in its state.
    """

    asks_model: ClassVar[bool] = False
    """Whether it asks another trained model than those that write, see :meth:`with_model`; that is
    in the folder ``path``, and in a bundle inside of it.
    """
    path: str | None = None

    def with_model(self, model: SequenceModel, symbols: Sequence[str]) -> "Scorer":
        """The same scorer with the model that it asks.

        :param symbols: what that model's ids stand for.
        """
        raise NotImplementedError

    def bind(self, vocabulary: Vocabulary) -> "Scorer":
        """The same scorer for outputs of a vocabulary.

        :raises InputError: if it cannot score these.
        """
        return self

    def beside(self, model: SequenceModel) -> "Scorer":
        """The same scorer as it stands beside one of the models that write."""
        return self

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
