"""Encoders that others have trained keep the contracts beside every decoder and attention."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from tandem.config.catalogue import complete_options
from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.encoders import PretrainedEncoder
from tandem.frontends import TextFrontend
from tandem.pretrained.architectures import ENCODERS
from tandem.testing import check_model, gradients, padding, parity, partners, rows
from tandem.testing.case import make_case
from tandem.testing.checkpoints import TEXT_ENCODERS

pytest.importorskip("transformers")

SMALL = ("hidden_size=16", "embedding_size=8", "dropout=0")
SIZES = {"num_layers": 2, "num_heads": 2, "feed_forward_size": 16, "half_width": 1}


KEY_BIASES = ("key.bias", "k_lin.bias", "k_proj.bias")
"""A softmax over keys is the same whatever they have in common, so their gradient is 0."""
DECODERS, ATTENTIONS = complete_options("decoder"), complete_options("attention")
SPREAD = list(zip(itertools.cycle(DECODERS), ATTENTIONS, strict=False))


@pytest.fixture(scope="session")
def decoder_of() -> Callable[[str, str], Any]:
    """Makes the factory of a small decoder from ``conf/``, by its name and its attention's."""
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        configs = {
            (group, name): compose("train", [f"{group}={name}", "hidden_size=16", "dropout=0"])[
                group
            ]
            for group in ("decoder", "attention")
            for name in complete_options(group)
        }

    def call(decoder: str, attention: str) -> Any:
        cfg = configs["decoder", decoder].copy()
        OmegaConf.resolve(cfg)
        cfg.attention = configs["attention", attention]
        for part, key in itertools.product((cfg, cfg.attention), SIZES):
            if key in part:
                part[key] = SIZES[key]
        return make(cfg)

    return call


def model(model_type: str, decoder: Callable[..., Any], **options: Any) -> Any:
    """A small model with a pretrained encoder of fresh weights."""
    architecture = {
        "model_type": model_type,
        **TEXT_ENCODERS[model_type],
        "vocab_size": 2,
        "pad_token_id": 1,
    }
    size = architecture.get("embedding_size", 16)
    encoder = partial(
        PretrainedEncoder,
        architecture=architecture,
        **{"layer": None, "summary": "mean", **options},
    )
    frontend = partial(TextFrontend, embedding_size=size, dropout=0.0)
    whole = partners.small_model(frontend=frontend, encoder=encoder, decoder=decoder)
    for name, parameter in whole.encoder.named_parameters():
        if name.endswith(KEY_BIASES):
            parameter.requires_grad_(False)
    return whole


@pytest.mark.parametrize(("decoder", "attention"), list(itertools.product(DECODERS, ATTENTIONS)))
def test_beside_each_decoder_and_attention(
    decoder_of: Callable[..., Any], decoder: str, attention: str
) -> None:
    case = make_case(model("bert", decoder_of(decoder, attention)))
    padding.is_invisible(case, 3)
    padding.gets_no_weight(case)
    parity.steps_equal_one_pass(case)
    rows.reorder_at_every_step(case)
    gradients.reaches_every_parameter(case)


@pytest.mark.parametrize(("decoder", "attention"), SPREAD)
def test_all_contracts(decoder_of: Callable[..., Any], decoder: str, attention: str) -> None:
    check_model(model("bert", decoder_of(decoder, attention), layer="mean", summary="first"))


@pytest.mark.parametrize("model_type", TEXT_ENCODERS)
def test_padding_is_invisible_to_each_architecture(model_type: str) -> None:
    assert model_type in ENCODERS
    case = make_case(model(model_type, partners.recurrent_decoder()))
    padding.is_invisible(case, 3)
    gradients.reaches_every_parameter(case)
