"""Decoder and CTC deciding together: Watanabe et al. (2017), section III-C."""

from torch import Tensor

from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.models.ctc import CTC
from tandem.models.ctc_prefix import extend_prefixes, next_log_probs, start_prefixes
from tandem.models.stepper import Stepper


class JointStep:
    """Scores next symbols by ``(1 - w) log p_decoder + w log p_ctc``.

    Summed over an output that ends in ``eos`` this is its joint score. A single step's scores are
    no distribution, and symbols that CTC rules out score -inf.

    :param decoder: what the decoder says.
    :param ctc: reads the same memory.
    :param weight: w in (0, 1].
    """

    normalized = True

    def __init__(self, decoder: Stepper, ctc: CTC, weight: float) -> None:
        self.decoder = decoder
        self.ctc = ctc
        self.weight = weight

    def start(self, memory: Memory) -> State:
        """Both states before the first symbol, one hypothesis a source."""
        return State(carry=(self.decoder.start(memory), start_prefixes(self.ctc, memory)))

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N,) ids -> scores (N, V) of what comes next, and the next state."""
        written, prefixes = state.carry
        scores, written = self.decoder.step(tokens, written)
        log_probs = scores if self.decoder.normalized else scores.log_softmax(-1)
        prefixes = extend_prefixes(tokens, prefixes)
        by_ctc = next_log_probs(prefixes)
        joint = (1 - self.weight) * log_probs + self.weight * by_ctc
        return joint, State(carry=(written, prefixes))
