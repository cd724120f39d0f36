"""``pad`` and ``bos`` are never written, however probable the weights would make them."""

import itertools

import pytest
import torch

from tandem.config.folders import config_folder
from tandem.core.types import FIRST_OUTPUT, SPECIAL_IDS
from tandem.inference.decoding import Decoding, generate, generate_together
from tandem.models import Seq2Seq
from tandem.search.rules import NoRepeatNgram, NoUnk
from tandem.search.scorers import CTCScorer

SEARCHES = sorted(path.stem for path in (config_folder() / "search").glob("*.yaml"))
SOURCE = torch.tensor([[4, 5, 3, 2], [5, 2, 0, 0], [1, 4, 2, 0]])  # one that begins with bos
MASK = SOURCE > 0
LONGEST = 6


@pytest.fixture
def drawn_to_specials(small_model):
    """Make a model whose weights say little but ``pad`` and ``bos``."""

    def make(**options) -> Seq2Seq:
        model = small_model(**options)
        with torch.no_grad():
            model.output.weight[:FIRST_OUTPUT] = 9 * model.output.weight[4:]
            if model.ctc is not None:
                model.ctc.output.bias[SPECIAL_IDS.bos] = 9.0
        return model

    return make


def read(model: Seq2Seq):
    return model.encode(SOURCE, MASK)


MODELS = {
    "plain": ({}, ()),
    "copying": ({"copying": True}, ()),
    "joint ctc": ({"ctc_weight": 0.3}, (CTCScorer(weight=0.4),)),
    "ctc alone": ({"ctc_weight": 0.3}, (CTCScorer(weight=1.0),)),
}


@torch.inference_mode()
@pytest.mark.parametrize(
    "rules", [(), (NoRepeatNgram(size=1),), (NoUnk(),)], ids=["free", "no_repeat_ngram", "no_unk"]
)
@pytest.mark.parametrize("kind", MODELS)
def test_no_search_writes_them(drawn_to_specials, small_search, kind, rules) -> None:
    options, scorers = MODELS[kind]
    model = drawn_to_specials(**options)
    for name in SEARCHES:
        decoding = Decoding(small_search(name), scorers, rules)
        for one in itertools.chain(*generate(model, decoding, read(model), LONGEST)):
            assert min(one.tokens) >= FIRST_OUTPUT, name
            if rules:
                visible = [symbol for symbol in one.tokens if symbol > SPECIAL_IDS.unk]
                assert not isinstance(rules[0], NoRepeatNgram) or len(set(visible)) == len(visible)
                assert not isinstance(rules[0], NoUnk) or SPECIAL_IDS.unk not in one.tokens


@torch.inference_mode()
@pytest.mark.parametrize("average", ["probability", "log"])
def test_no_ensemble_writes_them(drawn_to_specials, small_search, average) -> None:
    models = [drawn_to_specials(seed=seed) for seed in (1, 2)]
    for name in SEARCHES:
        found = generate_together(
            models,
            Decoding(small_search(name)),
            [read(m) for m in models],
            LONGEST,
            average=average,
        )
        assert min(itertools.chain(*(one.tokens for one in itertools.chain(*found)))) >= 2


@torch.inference_mode()
@pytest.mark.parametrize("copying", [False, True])
def test_samples_are_all_of_the_probability(drawn_to_specials, small_search, copying) -> None:
    """What can be written has probability 1 in all; 3,000 samples hold nothing else."""
    model = drawn_to_specials(copying=copying)
    scores = model(SOURCE, MASK, torch.tensor([[1, 4], [1, 3], [1, 5]])).log_softmax(-1)
    assert (scores[..., :FIRST_OUTPUT] == -torch.inf).all()
    assert scores.exp().sum(-1).flatten().tolist() == pytest.approx([1.0] * 6)
    search = small_search("sampling", num_samples=1000)
    found = generate(model, Decoding(search), read(model), LONGEST)
    assert len(list(itertools.chain(*found))) == 3000
    assert min(itertools.chain(*(one.tokens for one in itertools.chain(*found)))) >= 2


def test_eos_stays_where_nothing_else_may_come(drawn_to_specials, small_search) -> None:
    """All four symbols are used up: an output ends; where ``eos`` cannot come, it scores -inf."""
    model = drawn_to_specials()
    for name in SEARCHES:
        decoding = Decoding(small_search(name), rules=(NoRepeatNgram(size=1), NoUnk()))
        for one in itertools.chain(*generate(model, decoding, read(model), LONGEST)):
            assert one.tokens[-1] == SPECIAL_IDS.eos
            assert len(one.tokens) <= 3
