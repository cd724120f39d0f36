"""A search, a scorer and a rule that somebody wrote from the base classes alone."""

import pytest
import torch

from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.inference.decoding import Decoding, generate
from tandem.search import Expansion, Search
from tandem.search.base import Choice, extend_step_by_step
from tandem.search.rules import Rule
from tandem.search.scorers import Scorer

EOS = SPECIAL_IDS.eos
SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])


class ByHand(Search):
    """Greedy search with a loop of its own, which never shortens the batch."""

    width = 1

    def __call__(self, step, state, *, first, max_length):
        tokens, outputs, total = first, [], 0.0
        for _ in range(max_length):
            scores, state = step.scores(tokens, state)
            history = torch.stack(outputs, 1) if outputs else first[:, None][:, :0]
            best, tokens = step.allowed(scores, history).max(1)
            total = total + torch.where(
                torch.tensor([EOS in row for row in history.tolist()]),
                0.0,
                best - step.log_normalizer(scores).squeeze(1),
            )
            outputs.append(tokens)
        rows = torch.stack(outputs, 1).tolist()
        cut = [row[: row.index(EOS) + 1] if EOS in row else row for row in rows]
        return [[Hypothesis(row, score)] for row, score in zip(cut, total.tolist(), strict=True)]


class AsExpansion(Search):
    """The same by the shared loop."""

    width = 1

    def __call__(self, step, state, *, first, max_length):
        return extend_step_by_step(
            step, state, Line(len(first)), first=first, max_length=max_length
        )


class Line(Expansion):
    """One output a source."""

    def __init__(self, sources: int) -> None:
        super().__init__(rows=1)
        self.live = list(range(sources))
        self.outputs: list[list[int]] = [[] for _ in range(sources)]
        self.scores = [0.0] * sources

    def history(self, position):
        written = torch.tensor([self.outputs[source] for source in self.live])
        return written.view(len(self.live), position).long()

    def advance(self, allowed, normalizer, position):
        best, tokens = allowed.max(1)
        rows = zip(self.live, tokens.tolist(), (best - normalizer[:, 0]).tolist(), strict=True)
        for source, symbol, score in rows:
            self.outputs[source].append(symbol)
            self.scores[source] += score
        return Choice(tokens, None, tokens != EOS)

    def keep(self, sources):
        self.live = [self.live[row] for row in sources.tolist()]

    def hypotheses(self):
        return [[Hypothesis(*pair)] for pair in zip(self.outputs, self.scores, strict=True)]


class Even(Rule):
    """Outputs end after an even number of symbols."""

    def __call__(self, scores, history):
        ends = torch.full_like(scores[:1], 0.0)
        ends[:, EOS] = -torch.inf if history.size(1) % 2 else 0.0
        return scores + ends


class Favourite(Scorer):
    """Likes a symbol better, the more steps there were; it counts them for itself."""

    def check(self, model) -> None:
        """It is fit for all."""

    def start(self, model, memory: Memory) -> State:
        return State(carry=memory.states.new_zeros(len(memory.mask)))

    def __call__(self, tokens, log_probs, weights, state):
        assert weights is not None
        assert weights().shape == (len(tokens), 4)
        bonus = torch.zeros_like(log_probs)
        bonus[:, 5] = state.carry
        return log_probs + bonus, State(carry=state.carry + 0.5)


@torch.inference_mode()
@pytest.mark.parametrize("rules", [(), (Even(),)], ids=["free", "rule"])
@pytest.mark.parametrize("scorers", [(), (Favourite(),)], ids=["decoder", "scorer"])
@pytest.mark.parametrize("own", [ByHand(), AsExpansion()], ids=["loop", "expansion"])
def test_own_searches_find_what_greedy_finds(
    small_model, small_search, own, scorers, rules
) -> None:
    model = small_model()
    memory = model.encode(SOURCE, MASK)
    expected = generate(model, Decoding(small_search("greedy"), scorers, rules), memory, 6)
    found = generate(model, Decoding(own, scorers, rules), memory, 6)
    for (one,), (other,) in zip(found, expected, strict=True):
        assert one.tokens == other.tokens
        assert one.score == pytest.approx(other.score)
        assert not rules or EOS not in one.tokens or one.tokens.index(EOS) % 2 == 0


@torch.inference_mode()
def test_a_scorer_is_heard(small_model, small_search) -> None:
    model = small_model()
    memory = model.encode(SOURCE, MASK)
    searched = [
        generate(model, Decoding(small_search("beam"), scorers), memory, 6)
        for scorers in ((), (Favourite(),), (Favourite(), Favourite()))
    ]
    counts = [sum(one.tokens.count(5) for one, *_ in found) for found in searched]
    assert counts[0] < counts[1] <= counts[2]
