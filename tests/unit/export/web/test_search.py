"""The page's searches find what Python's find, on a table of scores."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.export.web.contents import RULES
from tandem.search import Search, Step
from tandem.search.beam import STOPS
from tandem.search.penalty import KINDS
from tandem.search.rules import Banned, ForcedPrefix, MinLength, NoRepeatNgram, NoUnk, Rule

VOCABULARY, MAX_LENGTH, STATES = 9, 7, 97
RULE_SETS: list[tuple[Rule, ...]] = [
    (),
    (NoUnk(), NoRepeatNgram(size=2)),
    (Banned(sequences=[[5], [4, 6]]), ForcedPrefix(prefix=[7, 8]), MinLength(least=5)),
    (NoRepeatNgram(size=1), MinLength(least=7)),
]
SEARCH = """async ([table, kind, options, rules, maxLength]) => {
  const rows = table.map((row) => Float32Array.from(row, (score) => score ?? -Infinity));
  const model = {
    isNormalized: false,
    reorder: (state, parents) => parents.map((parent) => state[parent]),
    async step(tokens, state) {
      const next = tokens.map((token, at) => (3 * state[at] + token) % rows.length);
      return { scores: next.map((one) => rows[one].slice()), weights: null, state: next };
    },
  };
  const settings = {
    ...options, maxLength, heard: async () => {},
    rules: rules.map((rule) => RULES[rule.kind](rule)),
  };
  const outputs = await SEARCHES[kind](model, [0], settings);
  return outputs.map(({ symbols, score }) => [symbols, Number.isFinite(score) ? score : null]);
}"""


def table(seed: int) -> Tensor:
    """Scores of the next symbol; which row counts depends on all symbols before."""
    scores = 3 * torch.randn(STATES, VOCABULARY, generator=torch.Generator().manual_seed(seed))
    scores[:, [SPECIAL_IDS.pad, SPECIAL_IDS.bos]] = -torch.inf
    return scores


def searched(search: Search, rules: tuple[Rule, ...], scores: Tensor) -> list[Any]:
    """What Python finds."""

    def step(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        after = (3 * state.carry + tokens) % STATES
        return scores[after], State(carry=after)

    first = torch.tensor([SPECIAL_IDS.bos])
    (found,) = search(
        Step(step, normalized=False, rules=rules),
        State(carry=torch.tensor([0])),
        first=first,
        max_length=MAX_LENGTH,
    )
    return [(one.tokens, one.score) for one in found]


@pytest.fixture
def in_page(scripts: Any) -> Callable[..., list[Any]]:
    """What the page finds."""

    def call(
        kind: str, options: dict[str, Any], rules: tuple[Rule, ...], scores: Tensor
    ) -> list[Any]:
        plain = [[None if one == -torch.inf else one for one in row] for row in scores.tolist()]
        described = [RULES[type(rule)](rule) for rule in rules]
        found: list[Any] = scripts.evaluate(SEARCH, [plain, kind, options, described, MAX_LENGTH])
        return found

    return call


def agree(found: list[Any], expected: list[Any]) -> None:
    assert [tokens for tokens, _ in found] == [tokens for tokens, _ in expected]
    scores = [-torch.inf if score is None else score for _, score in found]
    assert scores == pytest.approx([score for _, score in expected], abs=1e-5)


@pytest.mark.parametrize("rules", RULE_SETS, ids=len)
def test_greedy(
    in_page: Callable[..., list[Any]],
    small_search: Callable[..., Search],
    rules: tuple[Rule, ...],
) -> None:
    for seed in range(5):
        agree(
            in_page("greedy", {}, rules, table(seed)),
            searched(small_search("greedy"), rules, table(seed)),
        )


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_beam(
    in_page: Callable[..., list[Any]], small_search: Callable[..., Search], kind: str, stop: str
) -> None:
    for seed in range(6):
        rules = RULE_SETS[seed % len(RULE_SETS)]
        options = {"width": 1 + 2 * seed, "length_penalty": kind, "alpha": 0.8, "stop": stop}
        agree(
            in_page("beam", options, rules, table(seed)),
            searched(small_search("beam", **options), rules, table(seed)),
        )
