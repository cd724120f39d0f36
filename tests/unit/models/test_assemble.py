"""Putting a model together: ties, and sizes that do not fit."""

import re
from functools import partial

import pytest
import torch

from tandem.attentions import DotAttention, GeneralAttention, NoAttention
from tandem.bridges import LinearBridge
from tandem.core.errors import InputError
from tandem.core.types import FIRST_OUTPUT
from tandem.decoders import RecurrentDecoder
from tandem.encoders import RecurrentEncoder
from tandem.frontends import TextFrontend
from tandem.models import Seq2Seq, assemble


def build(
    *,
    tie: str = "none",
    source_embedding: int = 6,
    target_embedding: int = 6,
    features: int = 6,
    shared: bool = True,
    attention: type = GeneralAttention,
    copying: bool = False,
    ctc_weight: float = 0.0,
) -> Seq2Seq:
    recurrent = {"cell": "gru", "num_layers": 1, "dropout": 0.0}
    return assemble(
        frontend=partial(TextFrontend, embedding_size=source_embedding, dropout=0.0),
        encoder=partial(
            RecurrentEncoder,
            hidden_size=4,
            bidirectional=True,
            reverse=False,
            output_dropout=0.0,
            **recurrent,
        ),
        decoder=partial(
            RecurrentDecoder,
            attention=attention,
            bridge=LinearBridge,
            hidden_size=8,
            input_feeding=False,
            output_size=features,
            **recurrent,
        ),
        embedding_size=target_embedding,
        tie_embeddings=tie,
        copying=copying,
        dropout=0.0,
        ctc_weight=ctc_weight,
        source_size=10,
        target_size=10,
        shared_vocabulary=shared,
    )


def fails(message: str, **options) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        build(**options)


def test_untied_tables_are_three() -> None:
    model = build()
    tables = {model.frontend.table.weight, model.target_table.weight, model.output.weight}
    assert len(tables) == 3


def test_target_tie_shares_table_and_output() -> None:
    model = build(tie="target", shared=False)
    assert model.output.weight is model.target_table.weight
    assert model.output.weight is not model.frontend.table.weight
    assert build().num_parameters() - model.num_parameters() == 60


def test_all_share_one_table() -> None:
    model = build(tie="all")
    assert model.output.weight is model.target_table.weight is model.frontend.table.weight
    assert build().num_parameters() - model.num_parameters() == 120


def test_forward_equals_its_parts() -> None:
    model = build()
    source, target_in = torch.tensor([[4, 5, 2]]), torch.tensor([[1, 6]])
    mask = torch.ones_like(source, dtype=torch.bool)
    logits = model(source, mask, target_in)
    decoded = model.decode(target_in, model.start(model.encode(source, mask)))
    assert logits.shape == (1, 2, 10)
    expected = decoded.features @ model.output.weight.t()
    assert torch.equal(logits[..., FIRST_OUTPUT:], expected[..., FIRST_OUTPUT:])
    assert (logits[..., :FIRST_OUTPUT] == -torch.inf).all()


def test_unknown_tie() -> None:
    message = "`model.tie_embeddings` must be one of none, target, all, but is 'both'."
    fails(message, tie="both")


@pytest.mark.parametrize("tie", ["target", "all"])
def test_tie_needs_features_as_large_as_embeddings(tie: str) -> None:
    message = (
        "Tied embeddings need decoder features as large as an embedding, but they have sizes 5 and "
        "6; set decoder.output_size (for decoder=transformer decoder.hidden_size) and "
        "embedding_size to the same value or model.tie_embeddings=none."
    )
    fails(message, tie=tie, features=5)


def test_tie_of_all_needs_one_vocabulary() -> None:
    message = (
        "model.tie_embeddings=all needs source and target to be text with one vocabulary; set "
        "tokenizer.shared=true or model.tie_embeddings=target."
    )
    fails(message, tie="all", shared=False)


def test_tie_of_all_needs_embeddings_of_one_size() -> None:
    message = (
        "model.tie_embeddings=all needs source and target embeddings of one size, but they have "
        "sizes 7 and 6; set frontend.embedding_size and model.embedding_size to the same value."
    )
    fails(message, tie="all", source_embedding=7)


def test_dot_attention_names_both_sizes() -> None:
    with pytest.raises(InputError, match=r"^attention=dot needs .* sizes 8 and 4; set decoder"):
        build(attention=DotAttention)


def test_copying_and_ctc_are_off_unless_asked_for() -> None:
    model = build()
    assert model.copier is None
    assert model.ctc is None
    assert not model.normalized
    both = build(copying=True, ctc_weight=0.3)
    gate, ctc = 6 + 6 + 1, 10 * (4 + 1)
    assert both.num_parameters() - model.num_parameters() == gate + ctc


def test_copying_needs_one_vocabulary() -> None:
    message = (
        "model.copying=true needs source and target to be text with one vocabulary; set "
        "tokenizer.shared=true or model.copying=false."
    )
    fails(message, copying=True, shared=False)


def test_copying_needs_weights() -> None:
    message = (
        "model.copying=true copies what attention looks at, but this attention has no weights; "
        "choose another one, such as attention=additive, or model.copying=false."
    )
    fails(message, copying=True, attention=NoAttention)
