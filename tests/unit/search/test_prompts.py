"""Outputs begin with the prompt of their own source, whose symbols cost nothing."""

import pytest
import torch

from tandem.config.folders import config_folder
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding, generate

SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])
PROMPTS = torch.tensor([[5, 3], [4, 0], [0, 0]])
LENGTHS = (2, 1, 0)
SEARCHES = sorted(path.stem for path in (config_folder() / "search").glob("*.yaml"))
UNDIVIDED = {name: {"length_penalty": "none"} for name in ("beam", "constrained", "diverse")}


@torch.inference_mode()
@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_goes_on_from_prompts(small_model, small_search, name) -> None:
    model = small_model(copying=False, ctc_weight=0.0)
    search = small_search(name, **UNDIVIDED.get(name, {}))
    decoding = Decoding(search, prompts=PROMPTS)
    for row, found in enumerate(generate(model, decoding, model.encode(SOURCE, MASK), 6)):
        for one in found:
            assert one.tokens[: LENGTHS[row]] == PROMPTS[row, : LENGTHS[row]].tolist()
            target_in = torch.tensor([[SPECIAL_IDS.bos, *one.tokens[:-1]]])
            scores = model(SOURCE[row : row + 1], MASK[row : row + 1], target_in)
            log_probs = scores.log_softmax(-1)[0]
            rest = range(LENGTHS[row], len(one.tokens))
            expected = sum(log_probs[place, one.tokens[place]].item() for place in rest)
            assert one.score == pytest.approx(expected, abs=1e-9)
