"""Hooks see what passes, in the order of the source, and only what they are there for."""

import threading
from functools import partial

import numpy as np
import pytest
import torch

from tandem.encoders import RecurrentEncoder
from tandem.inference.decoding import Decoding
from tandem.inference.inspection.road import Road, walk
from tandem.inference.inspection.watching import encoder_watched
from tandem.models import Seq2Seq
from tandem.search import GreedySearch
from tandem.testing import partners

SOURCE = torch.tensor([[4, 5, 3, 5, 2]])
backwards = partial(
    RecurrentEncoder,
    cell="lstm",
    hidden_size=8,
    num_layers=2,
    bidirectional=False,
    reverse=True,
    dropout=0.0,
    output_dropout=0.0,
)


def road(model: Seq2Seq, prefix: tuple[int, ...] = ()) -> Road:
    return walk(
        model.eval(),
        Decoding(GreedySearch()),
        SOURCE,
        prefix=prefix,
        max_length=5,
        rank=lambda hypotheses: hypotheses,
    )


def test_layers_that_read_backwards_are_shown_in_the_order_of_the_source() -> None:
    arrays = road(partners.small_model(encoder=backwards)).arrays
    assert arrays["encoder/layer_1/states"].shape == (5, 8)
    np.testing.assert_array_equal(arrays["encoder/layer_2/states"], arrays["memory/states"])


@pytest.mark.parametrize("input_feeding", [False, True])
def test_an_attention_that_is_asked_step_by_step(input_feeding: bool) -> None:
    decoder = partners.recurrent_decoder(input_feeding=input_feeding)
    arrays = road(partners.small_model(decoder=decoder), (4, 5, 4)).arrays
    assert arrays["decoder/attention"].shape == (len(arrays["decoder/tokens"]), 5)


def test_an_output_of_one_symbol() -> None:
    model = partners.small_model(decoder=partners.transformer_decoder())
    arrays = road(model, (2,)).arrays
    assert arrays["decoder/tokens"].tolist() == [2]
    assert arrays["decoder/layer_1/self_attention"].tolist() == [[[1.0]], [[1.0]]]


def test_other_threads_are_not_seen() -> None:
    model = partners.small_model(encoder=partners.transformer_encoder).eval()
    other, mask = torch.tensor([[5]]), torch.ones(1, 5, dtype=torch.bool)
    with encoder_watched(model) as seen:
        thread = threading.Thread(target=model.encode, args=(other, mask[:, :1]))
        thread.start()
        thread.join()
        assert seen == {}
        model.encode(SOURCE, mask)
    assert seen["encoder/layer_1/states"].shape == (5, 8)
    before = dict(seen)
    model.encode(other, mask[:, :1])
    assert seen == before
