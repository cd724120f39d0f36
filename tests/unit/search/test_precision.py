"""Narrow numbers: what a search adds up is as wide as float32, whatever the model computes in."""

import itertools
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch
from omegaconf import OmegaConf

from tandem.config.catalogue import complete_options
from tandem.config.folders import config_folder
from tandem.config.instantiate import make_each
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding, generate, generate_together
from tandem.search import Step

BOS = SPECIAL_IDS.bos
SEARCHES = sorted(path.stem for path in (config_folder() / "search").glob("*.yaml"))
SCORERS = complete_options("scorer")
SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])
LENGTH = 20


@pytest.fixture(params=["float32", "bfloat16"])
def default_dtype(request: pytest.FixtureRequest) -> Iterator[None]:
    """What Lightning's ``bf16-true`` changes for all tensors that are made without a dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, request.param))
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("default_dtype")
@pytest.mark.parametrize("normalized", [False, True], ids=["logits", "log_probs"])
@pytest.mark.parametrize("name", SEARCHES)
def test_scores_are_sums_in_float32(chain, small_search, name: str, normalized: bool) -> None:
    """The same search over the same numbers, wider: so no ties that those do not have."""
    generator = torch.Generator().manual_seed(3)
    narrow, wide = (chain([{}] * 8, normalized=normalized) for _ in range(2))
    table = 2 * torch.randn((8, 7, 7), generator=generator, dtype=torch.float32)
    table[:, :, SPECIAL_IDS.eos] -= 2.0
    narrow.logits = (table.log_softmax(-1) if normalized else table).bfloat16()
    wide.logits = narrow.logits.float()
    search = small_search(name)
    found = narrow.search(search, LENGTH)
    assert found == wide.search(search, LENGTH)
    scores = wide.logits.double() if normalized else wide.logits.double().log_softmax(-1)
    by_length = "length_penalty" in OmegaConf.load(config_folder() / "search" / f"{name}.yaml")
    for source, hypotheses in enumerate(found):
        for tokens, score in hypotheses:
            steps = itertools.pairwise([BOS, *tokens])
            total = sum(scores[source, last, symbol].item() for last, symbol in steps)
            assert score == pytest.approx(total / (len(tokens) if by_length else 1), rel=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("kind", ["true", "autocast"])
@pytest.mark.parametrize("name", SEARCHES)
def test_a_model_in_bfloat16_is_searched_as_if_its_steps_were_float32(
    small_model, small_search, name: str, kind: str
) -> None:
    model = small_model().to(torch.bfloat16 if kind == "true" else torch.float32)
    search = small_search(name)

    def widened(tokens, state):
        scores, state = model.step(tokens, state)
        assert scores.dtype == torch.bfloat16
        return scores.float(), state

    with torch.autocast("cpu", torch.bfloat16) if kind == "autocast" else nullcontext():
        memory = model.encode(SOURCE, MASK)
        found = generate(model, Decoding(search), memory, LENGTH)
        step = Step(widened, normalized=False)
        first = torch.full((len(SOURCE),), BOS)
        expected = search(step, model.start(memory), first=first, max_length=LENGTH)
    assert found == expected


@torch.inference_mode()
@pytest.mark.parametrize("average", ["probability", "log"])
def test_an_ensemble_averages_in_float32(small_model, small_search, average: str) -> None:
    model = small_model().bfloat16()
    memory = model.encode(SOURCE, MASK)
    decoding = Decoding(small_search("beam"))
    found = generate_together([model, model], decoding, [memory] * 2, LENGTH, average=average)
    alone = generate(model, decoding, memory, LENGTH)
    for one, other in zip(itertools.chain(*found), itertools.chain(*alone), strict=True):
        assert one.tokens == other.tokens
        assert one.score == pytest.approx(other.score, rel=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("copying", [False, True], ids=["generating", "copying"])
@pytest.mark.parametrize("kind", ["true", "autocast"])
@pytest.mark.parametrize("scorer", SCORERS)
def test_every_scorer_works_in_bfloat16(
    small_model, small_search, scorer: str, kind: str, copying: bool
) -> None:
    """Scores are those of the model in float32, but for its rounded products."""
    config = OmegaConf.load(config_folder() / "scorer" / f"{scorer}.yaml")
    decoding = Decoding(small_search("greedy"), make_each(config))
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        model = small_model(ctc_weight=0.5, copying=copying)
        model = model.to(dtype if kind == "true" else torch.float32)
        narrow = kind == "autocast" and dtype == torch.bfloat16
        with torch.autocast("cpu", torch.bfloat16) if narrow else nullcontext():
            results.append(generate(model, decoding, model.encode(SOURCE, MASK), 4))
    for (wide,), (narrow,) in zip(*results, strict=True):
        assert narrow.score == pytest.approx(wide.score, rel=0.1)
