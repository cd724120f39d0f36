"""How probable CTC finds what begins with a prefix: Watanabe et al. (2017), algorithm 2.

The algorithm's tables are kept given the prefix, so that nothing shrinks as an output grows, and
its loop over positions is one scan. A symbol whose probability given the prefix is below the
smallest float counts as impossible.
"""

import torch
from torch import Tensor

from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.models.ctc import BLANK
from tandem.models.vocabulary_layer import forbid_no_outputs_


def start_prefixes(log_probs: Tensor, mask: Tensor) -> State:
    """The state of the empty prefix, one hypothesis a source.

    ``fixed`` holds log-probabilities (B, S, V), probabilities with zeros at padding, and the mask
    (B, S). ``carry`` counts the steps and holds for each hypothesis its last symbol (N,) and, for
    0 to S positions, two tables (N, S + 1): the log-probability, given the prefix, that just the
    prefix is written by then and that a symbol, or a blank, stands last.

    :param log_probs: (B, S, V), what CTC says.
    :param mask: (B, S) bool, the memory's.
    """
    probs = log_probs.exp().masked_fill(~mask.unsqueeze(2), 0.0)
    blanks = _certain_at_padding(log_probs[..., BLANK], mask).cumsum(1)  # (B, S)
    by_blank = torch.cat((blanks.new_zeros(len(blanks), 1), blanks), dim=1)  # (B, S + 1)
    by_symbol = torch.full_like(by_blank, -torch.inf)
    last = mask.new_full((len(blanks),), SPECIAL_IDS.bos, dtype=torch.long)
    return State(fixed=(log_probs, probs, mask), carry=(0, last, by_symbol, by_blank))


def extend_prefixes(tokens: Tensor, state: State) -> State:
    """Append a symbol (N,) to each prefix; the very first one, ``bos``, appends nothing."""
    log_probs, _, mask = state.fixed
    count, last, by_symbol, by_blank = state.carry
    if count == 0:
        return State(state.fixed, carry=(1, tokens, by_symbol, by_blank))
    real = mask.repeat_interleave(len(tokens) // len(mask), 0)  # (N, S)
    symbol = _certain_at_padding(_column(log_probs, tokens), real)
    blank = _certain_at_padding(_column(log_probs, torch.full_like(tokens, BLANK)), real)
    repeated = (tokens == last).unsqueeze(1)  # needs a blank in between
    entering = torch.where(repeated, by_blank, torch.logaddexp(by_symbol, by_blank))[:, :-1]
    share = (entering + symbol).masked_fill(~real, -torch.inf).logsumexp(1, keepdim=True)  # (N, 1)
    nowhere = torch.full_like(share, -torch.inf)
    by_symbol = _scan(entering, symbol).masked_fill(~real, -torch.inf)  # (N, S)
    by_symbol = torch.cat((nowhere, by_symbol), dim=1)  # (N, S + 1)
    by_blank = torch.cat((nowhere, _scan(by_symbol[:, :-1], blank)), dim=1)
    possible = share > -torch.inf
    by_symbol, by_blank = (
        torch.where(possible, table - share, nowhere) for table in (by_symbol, by_blank)
    )
    return State(state.fixed, carry=(count + 1, tokens, by_symbol, by_blank))


def next_log_probs(state: State) -> Tensor:
    """Log-probability of each next symbol given the prefix, -inf if it cannot follow: (N, V).

    Of a symbol: that the output goes on with it. Of ``eos``: that the output is the prefix.
    """
    log_probs, probs, mask = state.fixed
    _, last, by_symbol, by_blank = state.carry
    both = torch.logaddexp(by_symbol, by_blank)  # (N, S + 1)
    rows, sources = len(last), len(mask)
    entering = both[:, :-1].exp().to(probs.dtype).view(sources, rows // sources, -1)  # (B, K, S)
    with torch.autocast(probs.device.type, enabled=False):
        found = torch.bmm(entering, probs).flatten(0, 1).log_()  # (N, V)
    real = mask.repeat_interleave(rows // sources, 0)  # (N, S)
    again = (by_blank[:, :-1] + _column(log_probs, last)).masked_fill(~real, -torch.inf)
    found.scatter_(1, last.unsqueeze(1), again.logsumexp(1, keepdim=True).to(found.dtype))
    found[:, SPECIAL_IDS.eos] = both[:, -1].to(found.dtype)
    return forbid_no_outputs_(found)


def _scan(entering: Tensor, staying: Tensor) -> Tensor:
    """``x_s = (x_{s-1} + e_{s-1}) p_s`` from ``x_0 = 0``, in log space and for all s at once.

    :param entering: (N, S) logarithms of e_0 to e_{S-1}.
    :param staying: (N, S) logarithms of p_1 to p_S, finite.
    :return: (N, S) logarithms of x_1 to x_S.
    """
    total = staying.cumsum(1)
    return total + (entering - (total - staying)).logcumsumexp(1)


def _certain_at_padding(log_probs: Tensor, mask: Tensor) -> Tensor:
    """(N, S) with probability 1 at padding, in float64 where the device has it."""
    wide = log_probs if log_probs.device.type == "mps" else log_probs.double()
    return wide.masked_fill(~mask, 0.0)


def _column(log_probs: Tensor, tokens: Tensor) -> Tensor:
    """What (B, S, V) says of one symbol (N,) for each hypothesis: (N, S)."""
    sources, positions, _ = log_probs.shape
    index = tokens.view(sources, 1, -1).expand(-1, positions, -1)  # (B, S, K)
    return log_probs.gather(2, index).transpose(1, 2).reshape(len(tokens), positions)
