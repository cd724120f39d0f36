"""The tree that is heard is the tree that was searched."""

import pytest
import torch

from tandem.config.folders import config_folder
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding, generate, generate_together
from tandem.inference.inspection.tree import BEST, CUT_OFF, DIED, FINISHED, SearchTree
from tandem.search import beams, constrained, paths
from tandem.search.rules import Banned, ForcedPrefix, NoRepeatNgram
from tandem.search.scorers import CoveragePenalty, CTCScorer

SEARCHES = sorted(path.stem for path in (config_folder() / "search").glob("*.yaml"))
SOURCE = torch.tensor([[4, 5, 3, 2]])
MASK = torch.ones_like(SOURCE, dtype=torch.bool)
RULES = (ForcedPrefix(prefix=[5]), NoRepeatNgram(size=2), Banned(sequences=[[5, 4]]))
SCORERS = (CoveragePenalty(penalty=0.3), CTCScorer(weight=0.4))
EXPANSIONS = (beams.Beams, constrained.Grid, paths.Paths)


@pytest.fixture
def open_prefixes(monkeypatch):
    """What each search itself holds as open and possible after each step."""
    steps = [{()}]

    def watched(advance):
        def call(self, allowed, normalizer, position):
            choice = advance(self, allowed, normalizer, position)
            length = position + 1
            prefixes = self.outputs if isinstance(self, paths.Paths) else self.prefixes
            rows = prefixes.flatten(0, 1)[:, :length].tolist()
            closed = self.ended if isinstance(self, paths.Paths) else self.scores == -torch.inf
            flags = closed.flatten().tolist()
            steps.append({tuple(row) for row, flag in zip(rows, flags, strict=True) if not flag})
            return choice

        return call

    for expansion in EXPANSIONS:
        monkeypatch.setattr(expansion, "advance", watched(expansion.advance))
    return steps


def prefix_of(tree, node):
    tokens = []
    while node.parent is not None:
        tokens.append(node.token)
        node = tree.nodes[node.parent]
    return tuple(reversed(tokens))


@torch.inference_mode()
@pytest.mark.parametrize("scorers", [(), SCORERS], ids=["decoder", "scorers"])
@pytest.mark.parametrize("rules", [(), RULES], ids=["free", "rules"])
@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_is_heard(
    small_model, small_search, open_prefixes, name, rules, scorers
) -> None:
    changes = {"constrained": {"required": [[5, 5]]}} if rules else {}
    search = small_search(name, **changes.get(name, {}))
    model = small_model(ctc_weight=0.5)
    tree = SearchTree()
    decoding = Decoding(search, scorers, rules, listener=tree)
    hypotheses = generate(model, decoding, model.encode(SOURCE, MASK), 6)[0]
    silent = Decoding(search, scorers, rules)
    assert hypotheses == generate(model, silent, model.encode(SOURCE, MASK), 6)[0]

    assert open_prefixes[0] == {()}
    heard = {}
    for node in tree.nodes:
        heard.setdefault(node.depth, set()).add(prefix_of(tree, node))
    asked = [prefixes for prefixes in open_prefixes if prefixes][: len(heard)]
    assert [heard[depth] for depth in range(len(heard))] == asked

    tree.settle(hypotheses)
    by_prefix = {prefix_of(tree, node): node for node in tree.nodes}
    assert len(by_prefix) == len(tree.nodes)
    for hypothesis in hypotheses:
        node = by_prefix[tuple(hypothesis.tokens)]
        penalty = search.penalty(node.depth) if hasattr(search, "penalty") else 1.0
        assert node.score / penalty == pytest.approx(hypothesis.score, abs=1e-5)
        assert node.worth >= (FINISHED if node.token == SPECIAL_IDS.eos else CUT_OFF)
    best = [node for node in tree.nodes if node.worth == BEST]
    assert [node.token for node in best[1:]] == hypotheses[0].tokens
    for node in tree.nodes[1:]:
        above = tree.nodes[node.parent]
        assert node.parent < node.id
        assert node.worth <= above.worth
        assert node.score == pytest.approx(above.score + node.log_prob)


@torch.inference_mode()
def test_an_ensemble_is_heard_as_one(small_model, small_search) -> None:
    models = [small_model(seed=2), small_model(seed=3)]
    memories = [model.encode(SOURCE, MASK) for model in models]
    tree = SearchTree()
    decoding = Decoding(small_search("beam", length_penalty="none"), listener=tree)
    (hypotheses,) = generate_together(models, decoding, memories, 6, average="log")
    tree.settle(hypotheses)
    best = [node for node in tree.nodes if node.worth == BEST]
    assert [node.token for node in best[1:]] == hypotheses[0].tokens
    assert best[-1].score == pytest.approx(hypotheses[0].score, abs=1e-6)


@torch.inference_mode()
def test_fates(small_model, small_search) -> None:
    model = small_model()
    tree = SearchTree()
    decoding = Decoding(small_search("beam", width=4), listener=tree)
    tree.settle(generate(model, decoding, model.encode(SOURCE, MASK), 4)[0])
    fates = {node.worth for node in tree.nodes}
    assert fates == {BEST, FINISHED, CUT_OFF, DIED}
