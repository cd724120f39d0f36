"""Decoders that others have trained keep the contracts with every attention."""

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.decoders import PretrainedDecoder
from tandem.pretrained.decoder_architectures import DECODERS
from tandem.testing import check_decoder, gradients, padding, parity, partners, rows
from tandem.testing.case import make_case
from tandem.testing.checkpoints import HALVES, LANGUAGE_MODELS, SIZE, WHOLE_MODELS

pytest.importorskip("transformers")

WHISPER = {
    **{key: value for key, value in HALVES.items() if key != "max_position_embeddings"},
    "max_target_positions": 40,
}
ARCHITECTURES = {**LANGUAGE_MODELS, **WHOLE_MODELS, "whisper": WHISPER}
ATTENTIONS = sorted(path.stem for path in Path(config_folder() / "attention").glob("*.yaml"))
SMALL = {"num_heads": 2, "half_width": 1, "size": 8, "num_filters": 3}
NEW = list(zip(DECODERS, itertools.cycle(ATTENTIONS), strict=False))


@pytest.fixture(scope="module")
def attentions() -> dict[str, Any]:
    """Factories of small attentions from ``conf/``, by name."""
    made = {}
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        for name in ATTENTIONS:
            cfg = compose("train", [f"attention={name}", "hidden_size=8", "dropout=0"])
            OmegaConf.resolve(cfg.attention)
            cfg.attention.update({key: SMALL[key] for key in SMALL if key in cfg.attention})
            made[name] = make(cfg.attention)
    return made


def factory(model_type: str, attention: Any, **options: Any) -> Callable[..., PretrainedDecoder]:
    """Makes a decoder of fresh weights whose states have the size of the other parts."""
    sizes = {
        key: partners.SIZE if value == SIZE else value
        for key, value in ARCHITECTURES[model_type].items()
    }
    return partial(
        PretrainedDecoder,
        architecture={"model_type": model_type, **sizes},
        attention=attention,
        **{"cross_attention": "native", **options},
    )


@pytest.mark.parametrize("model_type", ["gpt2", "bart"])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_with_each_attention(attentions: dict[str, Any], model_type: str, attention: str) -> None:
    decoder = factory(model_type, attentions[attention], cross_attention="new")
    case = make_case(partners.small_model(decoder=decoder))
    padding.is_invisible(case, 3)
    padding.gets_no_weight(case)
    parity.steps_equal_one_pass(case)
    parity.chunks_equal_one_pass(case)
    rows.reorder_at_every_step(case)
    rows.select_equals_never_having_had_the_others(case)
    gradients.reaches_every_parameter(case)


@pytest.mark.parametrize(("model_type", "attention"), NEW)
def test_a_new_attention_in_each_architecture(
    attentions: dict[str, Any], model_type: str, attention: str
) -> None:
    decoder = factory(model_type, attentions[attention], cross_attention="new")
    case = make_case(partners.small_model(decoder=decoder))
    parity.steps_equal_one_pass(case)
    rows.reorder_at_every_step(case)
    gradients.reaches_every_parameter(case)


@pytest.mark.parametrize("model_type", ["gpt2", "t5", "bart"])
def test_all_contracts(attentions: dict[str, Any], model_type: str) -> None:
    prompt = ["</s>", "<s>"] if model_type == "bart" else ["<pad>"]
    check_decoder(factory(model_type, attentions["location"], prompt=prompt))


@pytest.mark.parametrize("model_type", [*WHOLE_MODELS, "whisper"])
def test_the_attention_that_a_checkpoint_has(attentions: dict[str, Any], model_type: str) -> None:
    decoder = factory(model_type, attentions["none"])
    encoder = partial(partners.gru_encoder, hidden_size=6)  # whose states are mapped
    case = make_case(partners.small_model(encoder=encoder, decoder=decoder))
    padding.is_invisible(case, 3)
    padding.gets_no_weight(case)
    parity.steps_equal_one_pass(case)
    rows.reorder_at_every_step(case)
    gradients.reaches_every_parameter(case)
