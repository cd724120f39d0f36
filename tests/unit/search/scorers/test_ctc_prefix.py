"""Prefix scores against sums over all alignments."""

import itertools
import math

import pytest
import torch

from tandem.core.memory import Memory
from tandem.search.scorers.ctc_prefix import extend_prefixes, next_log_probs, start_prefixes

EOS, VOCABULARY = 2, 6
BOS = torch.full((3,), 1)


def started(ctc, memory):
    return extend_prefixes(BOS, start_prefixes(ctc.log_probs(memory), memory.mask))


def never_eos(ctc):
    """No position stands for ``eos``, as after training; then what may follow sums to 1."""
    with torch.no_grad():
        ctc.output.bias[EOS] = -1e4
    return ctc


@torch.inference_mode()
@pytest.mark.parametrize("symbols", list(itertools.product((3, 4, 5), repeat=3)), ids=str)
def test_equals_the_sum_over_alignments(ctc, memory, alignments, symbols) -> None:
    table = alignments(ctc.log_probs(memory), memory.mask)
    state = started(ctc, memory)
    for length, symbol in enumerate((*symbols, None)):
        prefix = symbols[:length]
        found = next_log_probs(state).exp()
        for row, after in itertools.product(range(3), range(VOCABULARY)):
            ended = after == EOS
            part = table.whole(row, prefix) if ended else table.prefix(row, (*prefix, after))
            whole = table.prefix(row, prefix)
            assert found[row, after].item() == pytest.approx(part / whole if whole else 0, abs=1e-9)
        assert found[:, 0].tolist() == [0.0] * 3  # blank is no symbol of an output
        if symbol is not None:
            state = extend_prefixes(torch.full((3,), symbol), state)


@torch.inference_mode()
def test_hypotheses_of_a_source_do_not_see_each_other(ctc, memory) -> None:
    both = started(ctc, memory).repeat(2)
    both = extend_prefixes(torch.tensor([3, 4, 3, 4, 3, 4]), both)
    for place, symbol in enumerate((3, 4)):
        alone = extend_prefixes(torch.full((3,), symbol), started(ctc, memory))
        assert torch.equal(next_log_probs(both)[place::2], next_log_probs(alone))


@torch.inference_mode()
def test_long_sources_keep_their_digits(ctc) -> None:
    """In float32, 2,000 positions; what follows a prefix sums to 1."""
    layer = never_eos(ctc.float())
    states = torch.randn(2, 2000, 4, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(2000) < torch.tensor([[2000], [700]])
    log_probs = layer.log_probs(Memory(states, mask, states[:, 0]))
    state = extend_prefixes(torch.tensor([1, 1]), start_prefixes(log_probs, mask))
    for step in range(30):
        found = next_log_probs(state)
        assert found.logsumexp(1).tolist() == pytest.approx([0.0] * 2, abs=1e-4)
        state = extend_prefixes(torch.full((2,), 3 + step % 3), state)


@torch.inference_mode()
def test_an_impossible_prefix_stays_impossible(ctc, memory) -> None:
    state = started(never_eos(ctc), memory)
    for symbol in (4, 5, 4):  # too long for the second source, of one position
        state = extend_prefixes(torch.full((3,), symbol), state)
    found = next_log_probs(state)
    assert not found.isnan().any()
    assert found[1].tolist() == [-math.inf] * VOCABULARY
    assert found[0].exp().sum().item() == pytest.approx(1)
