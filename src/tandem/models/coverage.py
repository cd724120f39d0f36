"""A search that wants every part of the source to be looked at: Wu et al. (2016), section 7."""

from torch import Tensor

from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.models.seq2seq import Seq2Seq

LEAST = 0.01
"""A position's attention is counted as at least so much, since log 0 would rule outputs out."""


class CoverageStep:
    """Adds ``penalty * sum_i log(min(sum_j p_ij, 1))`` to an output when it ends: eq. 15.

    p_ij is how much output symbol j, ``eos`` included, attends to source position i. Unlike in
    eq. 14 the sum counts before the length penalty, so that penalty divides it as well; an output
    that ``max_length`` cuts off has no such term.

    :param model: whose attention has weights.
    :param penalty: the paper's beta, above 0.
    """

    normalized = True

    def __init__(self, model: Seq2Seq, penalty: float) -> None:
        self.model = model
        self.penalty = penalty

    def start(self, memory: Memory) -> State:
        """The model's state, and no attention (B, S) yet."""
        attended = memory.states.new_zeros(memory.mask.shape)
        return State(fixed=memory.mask, carry=(self.model.start(memory), attended))

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N,) ids -> log-probabilities (N, V), that of ``eos`` lowered; the next state."""
        written, attended = state.carry
        predicted = self.model.decode(tokens.unsqueeze(1), written)
        assert predicted.weights is not None
        attended = attended + predicted.weights()[:, 0]  # (N, S)
        scores = self.model.scores(predicted)[:, 0]
        log_probs = scores if self.model.normalized else scores.log_softmax(-1)
        real = state.fixed.repeat_interleave(len(tokens) // len(state.fixed), 0)  # (N, S)
        covered = attended.clamp(LEAST, 1.0).log().masked_fill(~real, 0.0).sum(1)  # (N,)
        log_probs = log_probs.index_add(
            1, tokens.new_tensor([SPECIAL_IDS.eos]), self.penalty * covered.unsqueeze(1)
        )
        return log_probs, State(state.fixed, carry=(predicted.state, attended))
