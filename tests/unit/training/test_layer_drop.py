"""Which layers are skipped, and what is left then."""

import re
from collections.abc import Callable
from functools import partial

import pytest
import torch

from tandem.attentions import AdditiveAttention
from tandem.core.errors import InputError
from tandem.core.types import Batch
from tandem.decoders import TransformerDecoder
from tandem.encoders import ConformerEncoder, TransformerEncoder
from tandem.frontends import TextFrontend
from tandem.models import Seq2Seq, assemble
from tandem.models.residual import residual_layers
from tandem.training.layer_drop import LayerDrop

COMMON = {
    "hidden_size": 4,
    "num_heads": 2,
    "feed_forward_size": 6,
    "positions": "sinusoidal",
    "max_length": 10,
    "input_dropout": 0.0,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
}
ENCODERS: dict[str, Callable[..., torch.nn.Module]] = {
    "transformer": partial(TransformerEncoder, norm="pre", activation="relu", **COMMON),
    "conformer": partial(ConformerEncoder, kernel_size=3, **COMMON),
}


def model_of(encoder: str = "transformer", *, encoder_layers: int = 3) -> Seq2Seq:
    """With two layers in the decoder."""
    torch.manual_seed(0)
    return assemble(
        frontend=partial(TextFrontend, embedding_size=4, dropout=0.0),
        encoder=partial(ENCODERS[encoder], num_layers=encoder_layers),
        decoder=partial(
            TransformerDecoder,
            attention=partial(AdditiveAttention, size=4),
            num_layers=2,
            norm="pre",
            activation="relu",
            **COMMON,
        ),
        embedding_size=4,
        tie_embeddings="none",
        copying=False,
        dropout=0.0,
        ctc_weight=0.0,
        source_size=7,
        target_size=7,
        shared_vocabulary=True,
    ).double()


def skipped(model: Seq2Seq) -> list[bool]:
    """For each layer whether the next batch skips it."""
    return [bool(layer._forward_hooks) for layer in residual_layers(model)]


def scores(model: Seq2Seq, batch: Batch) -> torch.Tensor:
    return model(batch.source, batch.source_mask, batch.target_in)


@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_so_many_layers_are_skipped(batch, encoder) -> None:
    model, drop = model_of(encoder), LayerDrop(probability=0.3)
    torch.manual_seed(0)
    counts = torch.zeros(5)
    for _ in range(2000):
        assert drop(model, batch, 0) is batch
        counts += torch.tensor(skipped(model))
    torch.testing.assert_close(counts / 2000, torch.full((5,), 0.3), rtol=0, atol=0.05)


def test_the_same_random_numbers_skip_the_same(batch) -> None:
    """With another model and another state of the noise, as after a resume."""
    drawn = []
    for before in (0, 3):
        model, drop = model_of(), LayerDrop(probability=0.5)
        for _ in range(before):
            drop(model, batch, 0)
        torch.manual_seed(5)
        rows = []
        for _ in range(4):
            drop(model, batch, 0)
            rows.append(skipped(model))
        drawn.append(rows)
    assert drawn[0] == drawn[1]
    assert len({tuple(row) for row in drawn[0]}) > 1


@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_without_its_layers_a_model_only_embeds(batch, encoder, monkeypatch) -> None:
    model = model_of(encoder)
    monkeypatch.setattr(torch, "rand", lambda count: torch.zeros(count))
    LayerDrop(probability=0.1)(model, batch, 0)
    assert all(skipped(model))
    found = model.encode(batch.source, batch.source_mask).states
    inputs, _ = model.frontend(batch.source, batch.source_mask)
    embedded = model.encoder.inputs(inputs, 0)
    hoped = model.encoder.norm(embedded) if encoder == "transformer" else embedded
    assert torch.equal(found, hoped)
    target = model.decoder.inputs(model.target_table(batch.target_in), 0)
    assert torch.equal(scores(model, batch), model.output(model.decoder.norm(target)))


def test_skipping_one_layer_is_a_model_without_it(batch) -> None:
    model, shorter = model_of(), model_of(encoder_layers=2)
    drop = LayerDrop(probability=0.5)
    while skipped(model) != [False, True, False, False, False]:
        drop(model, batch, 0)
    weights = {
        name.replace("encoder.layers.2.", "encoder.layers.1."): value
        for name, value in model.state_dict().items()
        if not name.startswith("encoder.layers.1.")
    }
    shorter.load_state_dict(weights)
    assert torch.equal(scores(model, batch), scores(shorter, batch))
    scores(model, batch).sum().backward()
    without = {name for name, value in model.named_parameters() if value.grad is None}
    assert without == {
        name for name, _ in model.named_parameters() if name.startswith("encoder.layers.1.")
    }


def test_evaluation_has_all_layers(batch, monkeypatch) -> None:
    model = model_of().eval()
    before = scores(model, batch)
    monkeypatch.setattr(torch, "rand", lambda count: torch.zeros(count))
    LayerDrop(probability=0.1)(model.train(), batch, 0)
    assert not torch.equal(scores(model, batch), before)
    assert torch.equal(scores(model.eval(), batch), before)


def test_a_recurrent_model_has_nothing_to_skip(make) -> None:
    message = (
        "noise.layer_drop skips layers of a Transformer or Conformer, but this model has neither; "
        "choose encoder=transformer, encoder=conformer or decoder=transformer, or leave layer_drop "
        "out of `noise`."
    )
    LayerDrop(probability=0.1).check(model_of())
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        LayerDrop(probability=0.1).check(make())


def test_bad_options() -> None:
    with pytest.raises(InputError, match=r"^`noise.layer_drop.probability` must be at least 0 and"):
        LayerDrop(probability=1.0)
