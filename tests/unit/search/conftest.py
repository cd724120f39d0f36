"""Models given as a table: the next symbol depends on the last one alone."""

import math

import pytest
import torch

from tandem.core.state import State
from tandem.search import Step

PAD, BOS, EOS, UNK, A, B, C = range(7)


class Chain:
    """A Markov chain; what is not in the table has no probability. It counts the rows it sees.

    :param normalized: whether the numbers are told to be scores already.
    """

    def __init__(
        self, tables: list[dict[int, dict[int, float]]], *, normalized: bool = False
    ) -> None:
        logits = torch.full((len(tables), 7, 7), -1e9, dtype=torch.float64)
        for source, table in enumerate(tables):
            for last, row in table.items():
                for symbol, probability in row.items():
                    logits[source, last, symbol] = math.log(probability)
        self.logits = logits
        self.normalized = normalized
        self.rows_seen: list[int] = []

    def start(self) -> State:
        sources = torch.arange(len(self.logits))
        return State(fixed=sources, carry=sources)

    def step(self, tokens: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        self.rows_seen.append(len(tokens))
        source = state.fixed.repeat_interleave(len(tokens) // len(state.fixed))
        assert torch.equal(source, state.carry)  # rows never leave their source
        return self.logits[source, tokens], state

    def search(self, method, max_length: int = 6, rules=()) -> list[list[tuple[list[int], float]]]:
        first = torch.full((len(self.logits),), BOS)
        step = Step(self.step, normalized=self.normalized, rules=rules)
        found = method(step, self.start(), first=first, max_length=max_length)
        return [[(hypothesis.tokens, hypothesis.score) for hypothesis in one] for one in found]


GARDEN_PATH = {  # greedy takes A and ends with 0.6 x 0.3; the best way is B with 0.4 x 0.9
    BOS: {A: 0.6, B: 0.4},
    A: {EOS: 0.3, A: 0.25, B: 0.25, C: 0.2},
    B: {EOS: 0.9, C: 0.1},
    C: {EOS: 1.0},
}
STRAIGHT = {BOS: {C: 0.8, EOS: 0.2}, C: {EOS: 1.0}}
ENDLESS = {BOS: {A: 1.0}, A: {A: 0.9, EOS: 0.1}}


@pytest.fixture
def chain():
    return Chain


@pytest.fixture
def tables():
    return {"garden_path": GARDEN_PATH, "straight": STRAIGHT, "endless": ENDLESS}


class Letters:
    """A vocabulary that cuts texts at blanks and knows the symbols a, b and c."""

    vocabulary_size = 7

    def encode_batch(self, texts: list[str]) -> list[list[int]]:
        ids = {"a": A, "b": B, "c": C}
        return [[ids.get(word, UNK) for word in text.split()] for text in texts]


@pytest.fixture
def vocabulary() -> Letters:
    return Letters()
