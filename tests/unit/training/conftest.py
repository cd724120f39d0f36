"""A small model with drawn weights, and a batch for it."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from tandem.attentions import AdditiveAttention
from tandem.bridges import LinearBridge
from tandem.core.types import Batch
from tandem.decoders import RecurrentDecoder
from tandem.encoders import RecurrentEncoder
from tandem.frontends import TextFrontend
from tandem.models import Seq2Seq, assemble

ADDITIVE = partial(AdditiveAttention, size=4)


def small_model(*, copying: bool = False, ctc_weight: float = 0.0, attention=ADDITIVE) -> Seq2Seq:
    recurrent = {"cell": "gru", "num_layers": 1, "dropout": 0.0}
    model = assemble(
        frontend=partial(TextFrontend, embedding_size=4, dropout=0.0),
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
            hidden_size=4,
            input_feeding=False,
            output_size=4,
            **recurrent,
        ),
        embedding_size=4,
        tie_embeddings="none",
        copying=copying,
        dropout=0.0,
        ctc_weight=ctc_weight,
        source_size=7,
        target_size=7,
        shared_vocabulary=True,
    )
    generator = torch.Generator().manual_seed(0)
    for parameter in model.double().parameters():
        nn.init.normal_(parameter, std=0.7, generator=generator)
    return model


@pytest.fixture
def make() -> Callable[..., Seq2Seq]:
    """Make a model of seven symbols on both sides."""
    return small_model


@pytest.fixture
def batch() -> Batch:
    """Targets 4 5 4 and 6, of sources with 4 and 2 positions."""
    target = torch.tensor([[4, 5, 4, 2], [6, 2, 0, 0]])
    return Batch.of(
        source=torch.tensor([[4, 5, 6, 2], [6, 2, 0, 0]]),
        source_mask=torch.tensor([[True] * 4, [True, True, False, False]]),
        target_in=torch.tensor([[1, 4, 5, 4], [1, 6, 0, 0]]),
        target_out=target,
        target_mask=target != 0,
        indices=torch.arange(2),
    )
