"""Under every search an output begins as it was told to."""

import pytest
import torch

from tandem.config.folders import config_folder
from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding
from tandem.inference.inspection.road import Road, walk
from tandem.search import Search
from tandem.search.scorers import CTCScorer

SEARCHES = sorted(path.stem for path in (config_folder() / "search").glob("*.yaml"))
SOURCE = torch.tensor([[4, 5, 3, 2]])
EOS = SPECIAL_IDS.eos


def outputs(model, search: Search, prefix: list[int], scorers=()) -> list[list[int]]:
    road: Road = walk(
        model,
        Decoding(search, scorers),
        SOURCE,
        prefix=prefix,
        max_length=6,
        rank=lambda hypotheses: hypotheses,
    )
    return [hypothesis.tokens for hypothesis in road.hypotheses]


@pytest.mark.parametrize("name", SEARCHES)
def test_outputs_begin_with_a_prefix(small_model, small_search, name) -> None:
    model, search = small_model(), small_search(name)
    found = outputs(model, search, [3, 5])
    assert found
    assert all(tokens[:2] == [3, 5] for tokens in found)
    ended = outputs(model, search, [4, 5, EOS])
    assert all(tokens == [4, 5, EOS] for tokens in ended)


def test_what_a_search_or_a_scorer_rules_out(small_model, small_search) -> None:
    for search, scorers in (
        (small_search("constrained", required=[[4, 5]]), ()),
        (small_search("greedy"), (CTCScorer(weight=0.5),)),  # five symbols of four positions
    ):
        with pytest.raises(InputError) as caught:
            outputs(small_model(ctc_weight=0.5), search, [5, 5, 5, 5, 5, EOS], scorers)
        assert str(caught.value) == (
            "No output can begin with `prefix` ([5, 5, 5, 5, 5, 2]), as the search or a scorer "
            "rules it out; choose other symbols, or scorer=none."
        )
