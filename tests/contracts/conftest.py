"""The combinations of options in ``conf/``, each as a small model in float64, three sources."""

import functools
import importlib
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Generator, Tensor, nn

from tandem.core.masks import lengths_to_mask
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.models import Seq2Seq

VOCABULARY = 6  # the four special symbols and two more: few enough to try every output
TARGET_LENGTH = 7  # longer than the memories, so that decoding runs past their ends
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
ATOL = 1e-10


def load(name: str) -> ModuleType:
    """A module of ``benchmarks/``."""
    folder = str(Path(__file__).parents[2] / "benchmarks")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


GRID = load("grid")  # which knows how to find and compose all combinations


@dataclass(frozen=True)
class Medium:
    """What sources of one kind look like here."""

    overrides: tuple[str, ...]
    """What makes them small."""
    lengths: tuple[int, int, int]
    """Of the three sources: symbols, rows of pixels or frames."""
    draw: Callable[[Generator], Tensor]
    """Three random sources (3, S) or (3, S, width), anything in their padding."""
    change: Callable[[Tensor], Tensor]
    """Other sources of the same kind, different everywhere."""


MEDIA = {
    "text": Medium(
        overrides=(),
        lengths=(5, 1, 3),
        draw=lambda generator: torch.randint(VOCABULARY, (3, 5), generator=generator),
        change=lambda source: (source + 1) % VOCABULARY,
    ),
    "image": Medium(  # 3 x 2, 1 x 2 and 2 x 2 squares of 4 x 4 pixels, some of them cut off
        overrides=(
            "features=pixels",
            "features.image_height=16",
            "features.image_width=6",
            "features.channels=3",
        ),
        lengths=(11, 3, 6),
        draw=lambda generator: torch.randint(
            256, (3, 11, 18), dtype=torch.uint8, generator=generator
        ),
        change=lambda source: 255 - source,
    ),
    "audio": Medium(  # 5, 1 and 3 times four frames, some of them cut off
        overrides=("features=log_mel", "features.num_mels=6"),
        lengths=(18, 1, 11),
        draw=lambda generator: torch.randn((3, 18, 6), dtype=torch.float64, generator=generator),
        change=lambda source: -source,
    ),
}


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
    media_overrides = {media: medium.overrides for media, medium in MEDIA.items()}
    return GRID.compose_options(OVERRIDES, media_overrides, (*GRID.GROUPS, "bridge"))


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


@dataclass(frozen=True)
class Case:
    """A model and three sources of different lengths with a target each."""

    model: Seq2Seq
    source: Tensor
    """(B, S) or (B, S, width)"""
    mask: Tensor
    """(B, S)"""
    target: Tensor
    """(B, T)"""

    def changed(self) -> Tensor:
        """Sources that differ everywhere, padding included: (B, S) or (B, S, width)."""
        return MEDIA[self.model.frontend.media].change(self.source)

    def start(self, width: int = 1, sources: list[int] | None = None) -> State:
        """The state before the first symbol, ``width`` hypotheses for each of some sources."""
        rows = slice(None) if sources is None else sources
        memory = self.model.encode(self.source[rows], self.mask[rows])
        return self.model.start(memory).repeat(width)

    def feed(self, tokens: Tensor, state: State) -> tuple[Tensor, Tensor | None, State]:
        """Tokens (N, t) at once -> scores (N, t, V), weights (N, t, S), the next state."""
        predicted = self.model.decode(tokens, state)
        weights = None if predicted.weights is None else predicted.weights()
        return self.model.scores(predicted), weights, predicted.state

    def feed_steps(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N, t) one after the other -> logits (N, t, V), the next state."""
        logits = []
        for step in tokens.unbind(1):
            now, state = self.model.step(step, state)
            logits.append(now)
        return torch.stack(logits, 1), state

    def log_prob(self, row: int, outputs: list[list[int]]) -> Tensor:
        """Log-probability of each output for one source, in one teacher-forced pass."""
        length = max(len(tokens) for tokens in outputs)
        gold = torch.tensor([[*tokens, *[0] * (length - len(tokens))] for tokens in outputs])
        real = torch.tensor(
            [[place < len(tokens) for place in range(length)] for tokens in outputs]
        )
        target_in = torch.cat((torch.full_like(gold[:, :1], SPECIAL_IDS.bos), gold[:, :-1]), 1)
        source = self.source[row].expand(len(outputs), *self.source[row].shape)
        mask = self.mask[row].expand(len(outputs), -1)
        log_probs = self.model(source, mask, target_in).log_softmax(-1)
        at_gold = log_probs.gather(2, gold.unsqueeze(2)).squeeze(2)
        return at_gold.masked_fill(~real, 0.0).sum(1)


@functools.cache
def make_case(combination: Combination) -> Case:
    chosen = {group: getattr(combination, group) for group in (*GRID.GROUPS, "bridge")}
    cfg = GRID.combine(composed(), chosen, SIZES)
    for key, value in combination.changes:
        OmegaConf.update(cfg, key, value)
    model = GRID.make_model(cfg, VOCABULARY)
    generator = Generator().manual_seed(0)
    for parameter in model.double().eval().parameters():  # biases and norms, too, must matter
        nn.init.normal_(parameter, std=0.6, generator=generator)
    medium = MEDIA[model.frontend.media]
    source = medium.draw(generator)
    return Case(
        model=model,
        source=source,
        mask=lengths_to_mask(torch.tensor(medium.lengths), source.size(1)),
        target=torch.randint(VOCABULARY, (3, TARGET_LENGTH), generator=generator),
    )


@pytest.fixture(params=every_combination(), ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param)


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
def option_case(request: pytest.FixtureRequest) -> Case:
    """Like ``case``, for contracts of single parts, which need no combination of all."""
    return make_case(request.param)


@pytest.fixture(scope="session")
def grid() -> ModuleType:
    return GRID


@pytest.fixture(scope="session")
def task() -> ModuleType:
    return load("reversal")


@pytest.fixture
def equal() -> Callable[[Tensor, Tensor], None]:
    """Fails unless two tensors are equal in float64 up to the order of sums."""

    def check(actual: Tensor, expected: Tensor) -> None:
        assert actual.dtype == torch.float64
        torch.testing.assert_close(actual, expected, rtol=0, atol=ATOL)

    return check
