"""Bundles whose pretrained encoder is described such that it would run code, ask the network, or
eat memory: each is refused in a sentence.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.inference import load_bundle
from tandem.inference.trust import build_trusted

pytest.importorskip("transformers")

BERT = {
    **{"model_type": "bert", "hidden_size": 4, "num_attention_heads": 2, "vocab_size": 1},
    **{"num_hidden_layers": 1, "intermediate_size": 8, "max_position_embeddings": 20},
}
ViT = {
    **{"model_type": "vit", "hidden_size": 8, "num_attention_heads": 2, "image_size": 8},
    **{"num_hidden_layers": 1, "intermediate_size": 8, "patch_size": 4},
}
NO_PROPERTY = "is not a property of a network; leave it out."


def spec(architecture: Any) -> dict[str, Any]:
    return {
        "_target_": "tandem.encoders.PretrainedEncoder",
        "_partial_": True,
        "architecture": architecture,
        "layer": None,
        "summary": "mean",
    }


def message_of(architecture: Any, input_size: int = 4) -> str:
    with pytest.raises(InputError) as caught:
        build_trusted(spec(architecture), "model", ())(input_size=input_size)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mamba"}, "`encoder.architecture.model_type` must be one of bert, "),
        ({"model_type": ["bert"]}, "`encoder.architecture.model_type` must be one of bert, "),
        ({"auto_map": {"AutoModel": "evil--modeling.Model"}}, NO_PROPERTY),
        ({"attn_implementation": "kernels-community/flash-attn"}, NO_PROPERTY),
        ({"experts_implementation": "somebody/kernel"}, NO_PROPERTY),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, NO_PROPERTY),
        ({"per_layer_config": {"0": {"attn_implementation": "a/b"}}}, NO_PROPERTY),
        ({"attribute_map": {"hidden_size": "a"}}, NO_PROPERTY),
        ({"name_or_path": "somebody/model"}, NO_PROPERTY),
        ({"dtype": "float16"}, NO_PROPERTY),
        ({"_attn_implementation": "kernels-community/flash-attn"}, "holds the key '_attn_impl"),
        ({"hidden_act": "__import__"}, "describes no network of bert ('__import__');"),
        ({"hidden_size": "8"}, "describes no network of bert (Validation error for field"),
        ({"num_attention_heads": 3}, "describes no network of bert ("),
        ({"num_attention_heads": -1}, "describes no network of bert (num_attention_heads is -1);"),
        ({"num_hidden_layers": -1}, "describes no network of bert (num_hidden_layers is -1);"),
    ],
    ids=str,
)
def test_what_is_no_architecture(changes: dict[str, Any], message: str) -> None:
    assert message in message_of({**BERT, **changes})


@pytest.mark.parametrize("architecture", [None, [], "bert", {}, {"hidden_size": 8}], ids=str)
def test_what_is_no_mapping(architecture: Any) -> None:
    assert message_of(architecture)


@pytest.mark.parametrize(
    "changes", [{"image_size": 10**6}, {"image_size": [60_000, 600], "patch_size": 1}], ids=str
)
def test_more_patches_than_any_network_has(changes: dict[str, Any]) -> None:
    assert "makes more patches of" in message_of({**ViT, **changes}, 24)


@pytest.mark.parametrize(
    "changes",
    [{"image_size": 0}, {"image_size": 3}, {"image_size": [8]}, {"patch_size": [4, 4, 4]}],
    ids=str,
)
def test_sizes_that_are_none(changes: dict[str, Any]) -> None:
    assert "must be at least `encoder.architecture.patch_size` (" in message_of({**ViT, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"num_hidden_layers": 10**5},
        {"intermediate_size": 10**6},
        {"max_position_embeddings": 10**6},
        {"max_position_embeddings": 10**9},
        {"hidden_size": 10**6},
    ],
    ids=str,
)
def test_a_network_larger_than_the_weights(
    small_bundle: Callable[..., Path], changes: dict[str, int]
) -> None:
    bundle = small_bundle("bundle")
    path = bundle / "config.json"
    config = json.loads(path.read_text())
    config["model"]["encoder"] = spec({**BERT, **changes})
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"fit the bundle's config \((the network is|it has)"):
        load_bundle(bundle)
