"""What ranks the outputs that a search has found."""

from abc import ABC, abstractmethod

import torch

from tandem.core.types import Hypothesis
from tandem.data.tokenizers.tokenizer import Tokenizer


class Ranker(ABC):
    """Puts the outputs of one source into an order of its own."""

    @abstractmethod
    def __call__(self, hypotheses: list[Hypothesis], target: Tokenizer) -> list[Hypothesis]:
        """The same outputs, the best first; of equals the first stays first.

        :param hypotheses: as search ranked them.
        :param target: turns their ids into texts.
        """

    def to(self, device: torch.device) -> None:  # noqa: B027
        """Move what it computes with to a device."""
