"""Location-aware attention: Chorowski et al. (2015), section 2.1, eq. 8 and 9."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.attentions.base import Attended, Attention, by_hypothesis
from tandem.core.errors import InputError
from tandem.core.masks import mask_scores
from tandem.core.memory import Memory
from tandem.core.precision import product_type, wide_type
from tandem.core.state import State


class LocationAttention(Attention):
    """Scores ``v . tanh(Q q_t + K m_s + U f_ts)``, f the last weights under a convolution.

    It must see step t's weights before step t + 1, so it walks over T; the convolution and U are
    both linear and become one product. The weights before the first step are uniform over the
    source. With ``cumulative`` f sees the sum of all weights so far, what was covered, as in
    Tacotron 2 (Shen et al. 2018, section 2.2); it begins at zero.

    :param query_size: size Q of the decoder's queries, given by the decoder.
    :param memory_size: size M of the encoder's states, given by the builder.
    :param size: size A of the space in which they are compared.
    :param num_filters: number of features taken from the last weights.
    :param kernel_size: width of the convolution over them, odd.
    :param cumulative: whether it looks at the sum of all weights rather than at the last ones.
    """

    walks = True

    def __init__(
        self,
        *,
        query_size: int,
        memory_size: int,
        size: int,
        num_filters: int,
        kernel_size: int,
        cumulative: bool,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise InputError(
                "`attention.kernel_size` must be odd, so that a position sees as far left as "
                f"right, but is {kernel_size}."
            )
        self.query = nn.Linear(query_size, size)
        self.key = nn.Linear(memory_size, size, bias=False)
        self.filters = nn.Conv1d(1, num_filters, kernel_size, padding="same", bias=False)
        self.location = nn.Linear(num_filters, size, bias=False)
        self.energy = nn.Linear(size, 1, bias=False)
        self.cumulative = cumulative
        self.output_size = memory_size

    def start(self, memory: Memory) -> State:
        """Project the keys once and begin with uniform weights, or with nothing covered."""
        mask, dtype = memory.mask, product_type(memory.states)
        uniform = mask.to(wide_type(memory.states.dtype)) / mask.sum(1, keepdim=True)
        values, added = memory.states.to(dtype), mask_scores(mask.unsqueeze(1), dtype)
        fixed = (self.key(memory.states), values, added)
        return State(fixed, carry=torch.zeros_like(uniform) if self.cumulative else uniform)

    def forward(self, query: Tensor, state: State) -> Attended:
        """Query (N, T, Q) -> context (N, T, M), weights (N, T, S)."""
        keys, values, mask = state.fixed
        rows, length, _ = query.shape
        sources = keys.size(0)
        projected = self.query(query).view(sources, -1, length, 1, keys.size(-1))  # (B, K, T, 1, A)
        kernel = self.location.weight @ self.filters.weight.squeeze(1)  # (A, width), both maps
        width, reach = kernel.size(1), kernel.size(1) // 2
        seen, steps = state.carry, []  # (N, S)
        for step in range(length):
            padded = F.pad(seen.to(kernel.dtype), (reach, reach))  # (N, reach + S + reach)
            located = F.linear(padded.unfold(1, width, 1), kernel)  # (N, S, A)
            located = located.view(sources, -1, *keys.shape[1:])  # (B, K, S, A)
            pairs = torch.tanh(projected[:, :, step] + located + keys.unsqueeze(1))
            scores = self.energy(pairs).squeeze(-1)  # (B, K, S)
            steps.append((scores + mask).softmax(-1).view(rows, -1))  # (N, S)
            seen = seen + steps[-1] if self.cumulative else steps[-1].to(seen.dtype)
        weights = torch.stack(steps, 1) if length > 1 else steps[0].unsqueeze(1)  # (N, T, S)
        context = weights.view(sources, -1, weights.size(-1)) @ values  # (B, K x T, M)
        return Attended(
            by_hypothesis(context, query), lambda: weights, State(state.fixed, carry=seen)
        )
