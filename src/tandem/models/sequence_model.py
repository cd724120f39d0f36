"""What decoding and scoring need of a model, whoever computes it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor

from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.models.copying import Copied

Decoding = TypeVar("Decoding")


@dataclass(frozen=True)
class Predicted:
    """What the model says about T more target positions."""

    features: Tensor
    """(N, T, D), what :meth:`SequenceModel.scores` reads."""
    copied: Copied | None
    """What may be copied at (N, T) positions; None if the model does not copy."""
    weights: Callable[[], Tensor] | None
    """Makes the last attention's weights (N, T, S); None if it has none."""
    state: State


class SequenceModel(ABC):
    """Reads a source once, and then says what comes next after any number of target symbols.

    It is computed by torch from its parts, or elsewhere from an exported folder. Whoever searches,
    scores or evaluates asks for no more than this.
    """

    searches_itself: ClassVar[bool] = False
    """Whether it gives nothing but whole outputs, for a search that :meth:`fit` has chosen."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where it takes sources and symbols."""

    @property
    @abstractmethod
    def device_types(self) -> tuple[str, ...]:
        """Where it can be computed on this machine, ``cpu`` the first."""

    @property
    @abstractmethod
    def vocabulary_size(self) -> int:
        """V, target symbols."""

    @property
    @abstractmethod
    def normalized(self) -> bool:
        """Whether the scores are log-probabilities already; else they are logits."""

    @property
    @abstractmethod
    def has_weights(self) -> bool:
        """Whether the attention over the memory has weights."""

    @property
    @abstractmethod
    def has_ctc(self) -> bool:
        """Whether CTC reads the memory, too."""

    def num_parameters(self) -> int | None:
        """Numbers in its weights; None where nobody knows any more."""
        return None

    @abstractmethod
    def to(self, device: torch.device) -> Any:
        """Move it to a device."""

    @abstractmethod
    def encode(self, source: Tensor, source_mask: Tensor) -> Memory:
        """Source and mask (B, S) -> memory."""

    @abstractmethod
    def start(self, memory: Memory) -> State:
        """The state before the first symbol, one hypothesis a source."""

    @abstractmethod
    def decode(self, target_in: Tensor, state: State) -> Predicted:
        """target_in (N, T) ids -> what is said of T positions, and the next state."""

    @abstractmethod
    def scores(self, features: Tensor, copied: Copied | None) -> Tensor:
        """Scores (..., V): logits, or log-probabilities if :attr:`normalized`.

        Those of ``pad`` and ``bos``, which no output holds, are ``-inf``.

        :param features: (..., D)
        :param copied: of the same positions; None if the model does not copy.
        """

    @abstractmethod
    def ctc_log_probs(self, memory: Memory) -> Tensor:
        """What CTC says at each memory position, (B, S, V); see :meth:`CTC.log_probs`."""

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N,) ids -> scores (N, V) of what comes next, and the next state."""
        predicted = self.decode(tokens.unsqueeze(1), state)
        return self.scores(predicted.features, predicted.copied)[:, 0], predicted.state

    def fit(self, decoding: Decoding) -> Decoding:
        """How outputs are found with this model: as it is asked for, unless it searches by itself.

        :param decoding: a :class:`tandem.inference.decoding.Decoding`.
        :raises InputError: if the model cannot do it.
        """
        return decoding
