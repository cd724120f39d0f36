"""Decoder and CTC deciding together: Watanabe et al. (2017), section III-C."""

from collections.abc import Callable

from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.models.sequence_model import SequenceModel
from tandem.search.options import in_range
from tandem.search.scorers.base import Scorer
from tandem.search.scorers.ctc_prefix import extend_prefixes, next_log_probs, start_prefixes


class CTCScorer(Scorer):
    """Joint decoding: ``(1 - w) log p_decoder + w log p_ctc``.

    Summed over an output that ends in ``eos`` this is its joint score. A single step's scores are
    no distribution, and symbols that CTC rules out score -inf.

    :param weight: w, above 0 and at most 1.
    """

    def __init__(self, *, weight: float) -> None:
        if not in_range(weight, 0, 1) or weight == 0:
            raise InputError(
                f"`scorer.ctc.weight` must be above 0 and at most 1, but is {weight!r}; to search "
                "without CTC choose scorer=none."
            )
        self.weight = weight

    def check(self, model: SequenceModel) -> None:
        """See :class:`Scorer`."""
        if not model.has_ctc:
            raise InputError(
                "scorer=ctc needs a model with a CTC layer; train it with objective.ctc_weight "
                "above 0 or choose scorer=none."
            )

    def start(self, model: SequenceModel, memory: Memory) -> State:
        """See :class:`Scorer`."""
        self.check(model)  # which nobody has asked of an ensemble's partner
        return start_prefixes(model.ctc_log_probs(memory), memory.mask)

    def __call__(
        self,
        tokens: Tensor,
        log_probs: Tensor,
        weights: Callable[[], Tensor] | None,
        state: State,
    ) -> tuple[Tensor, State]:
        """See :class:`Scorer`."""
        state = extend_prefixes(tokens, state)
        by_ctc = next_log_probs(state)
        if self.weight == 1:  # 0 times -inf is nan
            return by_ctc, state
        return (1 - self.weight) * log_probs + self.weight * by_ctc, state
