"""The combinations of options in ``conf/``, each as a small model in float64, three sources."""

import functools
import importlib
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from tandem.config.build import build_features
from tandem.config.folders import config_folder
from tandem.testing.case import Case, make_case
from tandem.testing.sources import VOCABULARY

OVERRIDES = ("hidden_size=8", "embedding_size=8", "dropout=0.3")
SIZES = {
    "num_layers": 2,
    "num_heads": 2,
    "feed_forward_size": 16,
    "half_width": 1,
    "patch_size": 4,
    "stage_sizes": [4, 6],
    "channels": 3,  # of pixels and of convolutions over frames
}


def load(name: str) -> ModuleType:
    """A module of ``benchmarks/``."""
    folder = str(Path(__file__).parents[2] / "benchmarks")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


GRID = load("grid")  # which knows how to find and compose all combinations


MEDIA_OVERRIDES = {
    "text": (),
    "image": (  # 3 x 2, 1 x 2 and 2 x 2 squares of 4 x 4 pixels, some of them cut off
        "features=pixels",
        "features.image_height=16",
        "features.image_width=6",
        "features.channels=3",
    ),
    "audio": ("features=log_mel", "features.num_mels=6"),  # 5, 1 and 3 times four frames
}
"""What makes sources of a kind small."""


@dataclass(frozen=True)
class Combination:
    """Options by name, and keys that differ from what they say."""

    encoder: str = "gru"
    decoder: str = "gru"
    attention: str = "additive"
    frontend: str = "text"
    bridge: str = "linear"
    changes: tuple[tuple[str, Any], ...] = field(default=())

    def __str__(self) -> str:
        names = [] if self.frontend == "text" else [self.frontend]
        names += [self.encoder, self.decoder, self.attention]
        names += [f"bridge={self.bridge}"] if self.bridge != "linear" else []
        return "-".join([*names, *(f"{key}={value}" for key, value in self.changes)])


@functools.cache
def composed() -> dict[str, Any]:
    return GRID.compose_options(OVERRIDES, MEDIA_OVERRIDES, (*GRID.GROUPS, "bridge"))


@functools.cache
def option_keys(group: str, option: str) -> frozenset[str]:
    path = GRID.config_folder() / group / f"{option}.yaml"
    return frozenset(str(key) for key in OmegaConf.load(path))


def every_combination() -> list[Combination]:
    """The learning grid's, then the variants of each option that has the key in question."""
    variants = {
        ("frontend", "positions"): ["learned", "none"],
        ("frontend", "patch_size"): [3],
        ("frontend", "num_blocks"): [0],
        ("frontend", "subsampling"): ["none", "conv2"],
        ("encoder", "bidirectional"): [False],
        ("encoder", "norm"): ["post"],
        ("encoder", "positions"): ["learned", "rotary", "none"],
        ("decoder", "norm"): ["post"],
        ("decoder", "positions"): ["learned", "rotary", "none"],
        ("encoder", "kernel_size"): [1, 5],
        ("decoder", "kernel_size"): [1, 2],
        ("attention", "cumulative"): [True],
    }
    found = [
        Combination(**dict(zip(GRID.GROUPS, names, strict=True))) for names in GRID.combinations()
    ]
    for (group, key), values in variants.items():
        found += [
            Combination(**{group: option}, changes=((f"{group}.{key}", value),))
            for option, value in itertools.product(GRID.options(group), values)
            if key in option_keys(group, option)
            and not (value == "rotary" and "num_heads" not in option_keys(group, option))
        ]
    turned = (("encoder.bidirectional", False), ("encoder.reverse", True))
    found += [
        Combination(encoder=encoder, changes=turned)
        for encoder in GRID.options("encoder")
        if "reverse" in option_keys("encoder", encoder)
    ]
    stacked = (("features.stack", 2), ("features.num_mels", 3))
    found.append(Combination(frontend="speech", changes=stacked))
    for decoder, attention in itertools.product(GRID.options("decoder"), GRID.options("attention")):
        if "input_feeding" in option_keys("decoder", decoder):
            changes = (("decoder.input_feeding", True),)
            found.append(Combination(decoder=decoder, attention=attention, changes=changes))
    for decoder, bridge in itertools.product(GRID.options("decoder"), GRID.options("bridge")):
        if "bridge" in option_keys("decoder", decoder) and bridge != "linear":
            found.append(Combination(decoder=decoder, bridge=bridge))
    for decoder, attention in itertools.product(GRID.options("decoder"), ("location", "local_p")):
        changes = (("model.copying", True),)
        found.append(Combination(decoder=decoder, attention=attention, changes=changes))
    found.append(Combination(attention="multi_head", changes=(("model.copying", True),)))
    for decoder, tie in itertools.product(GRID.options("decoder"), ("target", "all")):
        found.append(Combination(decoder=decoder, changes=(("model.tie_embeddings", tie),)))
    return found


@functools.cache
def case_of(combination: Combination, device: str) -> Case:
    chosen = {group: getattr(combination, group) for group in (*GRID.GROUPS, "bridge")}
    cfg = GRID.combine(composed(), chosen, SIZES)
    for key, value in combination.changes:
        OmegaConf.update(cfg, key, value)
    features = build_features(cfg)
    source_size = features.width if features else VOCABULARY
    return make_case(GRID.make_model(cfg, VOCABULARY), source_size=source_size).to(device)


@pytest.fixture(params=every_combination(), ids=str)
def case(request: pytest.FixtureRequest, device: str) -> Case:
    return case_of(request.param, device)


@functools.cache
def language_model_of(decoder: str) -> Case:
    chosen = ("task=language_model", f"decoder={decoder}", *OVERRIDES)
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        cfg = compose("train", list(chosen))
    for key in SIZES.keys() & cfg.decoder.keys():
        cfg.decoder[key] = SIZES[key]
    return make_case(GRID.make_model(cfg, VOCABULARY))


@pytest.fixture(params=GRID.options("decoder"))
def language_model_case(request: pytest.FixtureRequest, device: str) -> Case:
    """Like ``case``, for each decoder as ``task=language_model`` has it."""
    return language_model_of(request.param).to(device)


@pytest.fixture
def language_models(device: str) -> Callable[[str], Case]:
    """The same by the name of the decoder."""
    return lambda decoder: language_model_of(decoder).to(device)


def every_option() -> list[Combination]:
    """A spread in which each frontend, encoder, decoder and attention occurs, and the kinds of
    positions and of memories of an attention's own.
    """
    names = GRID.spread(GRID.options("frontend"), max(map(len, map(GRID.options, GRID.GROUPS))), 0)
    variants = [
        combination
        for combination in every_combination()
        if any(key.endswith((".positions", ".cumulative")) for key, _ in combination.changes)
    ]
    return [
        *(Combination(**dict(zip(GRID.GROUPS, each, strict=True))) for each in names),
        *variants,
    ]


@pytest.fixture(params=every_option(), ids=str)
def option_case(request: pytest.FixtureRequest, device: str) -> Case:
    """Like ``case``, for contracts of single parts, which need no combination of all."""
    return case_of(request.param, device)


@pytest.fixture(
    params=[
        one
        for one in every_option()
        if not one.changes or one.changes[0][0].startswith(("decoder", "attention"))
    ],
    ids=str,
)
def step_case(request: pytest.FixtureRequest, device: str) -> Case:
    """Like ``option_case``, for contracts of a step, which no encoder takes part in."""
    return case_of(request.param, device)


def every_layer() -> list[Combination]:
    """A spread in which each encoder, decoder and attention occurs, and what else their layers do
    otherwise than as ``conf/`` has it.
    """
    others = [
        combination
        for combination in every_combination()
        for key, value in combination.changes
        if value == "rotary"
        or (key.endswith(".input_feeding") and combination.attention == "additive")
    ]
    return [combination for combination in every_option() if not combination.changes] + others


@pytest.fixture(params=every_layer(), ids=str)
def layers_case(request: pytest.FixtureRequest, device: str) -> Case:
    """Like ``case``, for contracts of layers."""
    return case_of(request.param, device)


def traced() -> list[Combination]:
    """A spread in which each frontend, encoder, decoder and attention occurs, of one layer each."""
    small = (("encoder.num_layers", 1), ("decoder.num_layers", 1))
    return [replace(one, changes=small) for one in every_option() if not one.changes]


@pytest.fixture(params=traced(), ids=str)
def traced_case(request: pytest.FixtureRequest) -> Case:
    """Like ``case``, for programs of torch.export, which take a second each."""
    return case_of(request.param, "cpu")


def translated() -> list[Combination]:
    """What other operators of ONNX are made of."""
    small = (("encoder.num_layers", 1), ("decoder.num_layers", 1))
    turned = (("encoder.bidirectional", False), ("encoder.reverse", True))
    fed = (("decoder.input_feeding", True), ("attention.cumulative", True))
    places = (("decoder.positions", "learned"), ("objective.ctc_weight", 0.5))
    copying = (("model.copying", True),)
    return [
        Combination("gru", "transformer", "local_p", "speech", changes=small + places),
        Combination("lstm", "lstm", "location", changes=small + fed + turned + copying),
    ]


@pytest.fixture(params=translated(), ids=str)
def translated_case(request: pytest.FixtureRequest) -> Case:
    """Like ``case``, for ONNX, which takes some seconds each."""
    return case_of(request.param, "cpu")


@pytest.fixture(scope="session")
def grid() -> ModuleType:
    return GRID


@pytest.fixture(scope="session")
def task() -> ModuleType:
    return load("reversal")


@pytest.fixture
def cases_of_options(device: str) -> dict[tuple[str, str], Case]:
    """Each encoder, decoder and attention beside the same others, by group and option."""
    return {
        (group, option): case_of(Combination(**{group: option}), device)
        for group in ("encoder", "decoder", "attention")
        for option in GRID.options(group)
    }
