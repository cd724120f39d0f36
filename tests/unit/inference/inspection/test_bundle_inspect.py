"""``bundle.inspect`` on bundles: what it says in words, prefixes, and refusals."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.decoders.base import Decoded, Decoder
from tandem.inference import Bundle, load_bundle, load_bundles
from tandem.models import Seq2Seq
from tandem.search import BeamSearch
from tandem.search.rules import MinLength
from tandem.search.scorers import CoveragePenalty
from tandem.testing import partners

EOS = SPECIAL_IDS.eos
BEAM = BeamSearch(width=3, length_penalty="none", alpha=0.0, stop="pool")


@pytest.fixture
def bundle(small_bundle: Callable[..., Path]) -> Bundle:
    return load_bundle(small_bundle("bundle"))


def test_what_is_seen_is_what_is_written(bundle: Bundle) -> None:
    for search in (bundle.decoding.search, BEAM):
        searching = replace(bundle, decoding=replace(bundle.decoding, search=search))
        seen = searching.inspect("a b c")
        (hypotheses,) = searching.hypotheses(["a b c"])
        assert [output.hypothesis for output in seen.outputs] == hypotheses
        assert seen.outputs[0].text == searching.generate(["a b c"])[0]
        (attention,) = searching.attention(["a b c"], [hypotheses[:1]])[0]
        np.testing.assert_allclose(seen.arrays["decoder/attention"], attention.weights, atol=1e-6)
        assert seen.source.tokens == attention.source == ["a", "b", "c", "<eos>"]
        record = json.loads(json.dumps(seen.to_json(), allow_nan=False))
        assert record["output"]["tokens"] == attention.target
        assert record["source"]["ids"] == seen.arrays["source"].tolist()


def test_the_model_goes_on_from_another_symbol(bundle: Bundle) -> None:
    free = bundle.inspect("a b").outputs[0].hypothesis.tokens
    other = next(id_ for id_ in range(4, 8) if id_ != free[0])
    seen = bundle.inspect("a b", prefix=[other])
    tokens = seen.outputs[0].hypothesis.tokens
    assert tokens[0] == other
    assert seen.to_json()["output"]["prefix"] == [other]
    again = bundle.inspect("a b", prefix=tokens[:2])
    assert again.outputs == seen.outputs
    ended = bundle.inspect("a b", prefix=[other, EOS])
    assert ended.outputs[0].hypothesis.tokens == [other, EOS]
    assert [node.token for node in ended.tree] == [SPECIAL_IDS.bos, other, EOS]
    assert bundle.inspect("a b", prefix=[EOS]).outputs[0].text == ""


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ([1], "`prefix` must be a list of ids of target symbols, from 2 to 7, but is [1]; take"),
        ([8], "`prefix` must be a list of ids of target symbols, from 2 to 7, but is [8]; take"),
        (["x"], "`prefix` must be a list of ids of target symbols, from 2 to 7, but is ['x'];"),
        ("x", "`prefix` must be a list of ids of target symbols, from 2 to 7, but is 'x'; take"),
        ([True], "`prefix` must be a list of ids of target symbols, from 2 to 7, but is [True];"),
        ([EOS, 4], "`prefix` must end at its first 2 (eos), but is [2, 4]; leave out what follows"),
        ([4] * 6, "`prefix` has 6 symbols, but an output has at most 5; shorten it."),
    ],
)
def test_prefixes_that_no_output_has(bundle: Bundle, prefix: list[int], message: str) -> None:
    with pytest.raises(InputError) as caught:
        bundle.inspect("a b", prefix=prefix)
    assert str(caught.value).startswith(message)


def test_a_prefix_must_keep_the_rules(bundle: Bundle) -> None:
    ruled = replace(bundle, decoding=replace(bundle.decoding, rules=(MinLength(least=2),)))
    with pytest.raises(InputError) as caught:
        ruled.inspect("a b", prefix=[EOS])
    assert str(caught.value) == (
        "`prefix` ([2]) must keep the other rules, but its symbol 1 is forbidden by MinLength; "
        "change one of them."
    )


def test_another_listener_still_hears(bundle: Bundle) -> None:
    positions: list[int] = []
    decoding = replace(bundle.decoding, listener=lambda heard: positions.append(heard.position))
    seen = replace(bundle, decoding=decoding).inspect("a b")
    assert positions == list(range(len(seen.outputs[0].hypothesis.tokens)))
    assert len(seen.tree) == 1 + len(positions)


def test_the_decoder_is_asked_alone(bundle: Bundle) -> None:
    scorers = (CoveragePenalty(penalty=3.0),)
    scored = replace(bundle, decoding=replace(bundle.decoding, scorers=scorers))
    alone, together = bundle.inspect("a b", prefix=[4, EOS]), scored.inspect("a b", prefix=[4, EOS])
    np.testing.assert_array_equal(
        alone.arrays["decoder/log_probs"], together.arrays["decoder/log_probs"]
    )
    assert together.tree[-1].score < alone.tree[-1].score - 0.1


def test_what_a_model_lacks_is_said(small_bundle: Callable[..., Path]) -> None:
    seen = load_bundle(small_bundle("none", attention="NoAttention")).inspect("a b")
    assert seen.summary_alone
    assert seen.lacks == {
        "source_picture": "A text is not drawn; its positions are its symbols.",
        "encoder_self_attention": (
            "RecurrentEncoder has no self-attention: none of its positions weighs all the others."
        ),
        "decoder_layers": (
            "RecurrentDecoder computes its layers together, so that only its features can be seen."
        ),
        "decoder_self_attention": (
            "RecurrentDecoder has no self-attention: what it wrote before reaches it through its "
            "own state."
        ),
        "decoder_attention": (
            "This model has no attention: its decoder gets the summary alone, the same at every "
            "step."
        ),
        "beam": (
            "GreedySearch keeps one output, so its tree is a line; search=beam keeps several."
        ),
    }
    assert seen.to_json()["memory"]["all_the_decoder_gets"] is True


class Graphs:
    """A model that is no module, as one that another program computes."""

    def __init__(self, model: Seq2Seq, *, searches_itself: bool = False) -> None:
        self.model, self.searches_itself = model, searches_itself

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


def test_a_model_that_another_program_computes_shows_what_it_gives(bundle: Bundle) -> None:
    whole, seen = bundle.inspect("a b"), replace(bundle, model=Graphs(bundle.model)).inspect("a b")
    assert seen.outputs == whole.outputs
    assert seen.arrays.keys() == {
        "source",
        "memory/states",
        "memory/summary",
        "decoder/tokens",
        "decoder/log_probs",
        "decoder/attention",
    }
    for name, array in seen.arrays.items():
        np.testing.assert_array_equal(array, whole.arrays[name])
    assert seen.lacks["embeddings"] == (
        "This model runs from exported graphs, which give its memory, its scores and its attention "
        "alone; look into the run that it was exported from."
    )
    record = json.loads(json.dumps(seen.to_json(), allow_nan=False))
    assert record["embeddings"] is None


class Plain(Decoder):
    """Reads the summary and no attention of Tandem's."""

    def __init__(self, *, input_size: int, memory_size: int) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(input_size + memory_size, 8)
        self.output_size = 8

    def start(self, memory: Memory) -> State:
        return State(fixed=memory.summary)

    def forward(self, inputs: Tensor, state: State) -> Decoded:
        summary = state.fixed.repeat_interleave(len(inputs) // len(state.fixed), 0)
        both = torch.cat((inputs, summary[:, None].expand(-1, inputs.size(1), -1)), -1)
        return Decoded(self.linear(both), None, state)


def test_an_own_decoder_without_an_attention(bundle: Bundle) -> None:
    model = partners.small_model(decoder=Plain, source_size=8)
    seen = replace(bundle, model=model.eval()).inspect("a b")
    assert seen.parts["decoder"] == "Plain"
    assert "attention" not in seen.parts
    assert seen.summary_alone
    assert "decoder_attention" in seen.lacks


def test_bad_calls(bundle: Bundle, small_bundle: Callable[..., Path]) -> None:
    with pytest.raises(InputError) as caught:
        bundle.inspect("")
    assert str(caught.value) == "Source 1 is empty; every source needs some text."
    model = Graphs(bundle.model, searches_itself=True)
    with pytest.raises(InputError) as caught:
        replace(bundle, model=model).inspect("a")
    assert str(caught.value).startswith("inspect() hears a search step by step, but the program")
    folder = small_bundle("other")
    with pytest.raises(InputError) as caught:
        load_bundles([folder, folder]).inspect("a")
    assert str(caught.value).startswith(
        "inspect() is of one model, but this bundle is an ensemble of "
    )
