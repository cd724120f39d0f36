"""Every combination of options in ``conf/``, each as a small model in float64 with two sources."""

import functools
import importlib.util
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from tandem.build import build_model
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.models import Seq2Seq

VOCABULARY = 6  # the four special symbols and two more: few enough to try every output
TARGET_LENGTH = 7  # longer than the sources, so that decoding runs past their ends
SOURCE_LENGTHS = (5, 1, 3)
OVERRIDES = ("hidden_size=8", "embedding_size=8", "dropout=0.3")
SIZES = {"num_layers": 2, "num_heads": 2, "feed_forward_size": 16, "half_width": 1}
ATOL = 1e-10


def load_grid() -> ModuleType:
    """The learning grid, which knows how to find and compose all combinations."""
    path = Path(__file__).parents[2] / "benchmarks" / "grid.py"
    spec = importlib.util.spec_from_file_location("learning_grid", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GRID = load_grid()


@dataclass(frozen=True)
class Combination:
    """Options by name, and keys that differ from what they say."""

    encoder: str = "gru"
    decoder: str = "gru"
    attention: str = "additive"
    bridge: str = "linear"
    changes: tuple[tuple[str, Any], ...] = field(default=())

    def __str__(self) -> str:
        names = [self.encoder, self.decoder, self.attention]
        names += [f"bridge={self.bridge}"] if self.bridge != "linear" else []
        return "-".join([*names, *(f"{key}={value}" for key, value in self.changes)])


@functools.cache
def composed() -> dict[str, Any]:
    return GRID.compose_options(OVERRIDES, (*GRID.GROUPS, "bridge"))


@functools.cache
def option_keys(group: str, option: str) -> frozenset[str]:
    path = GRID.config_folder() / group / f"{option}.yaml"
    return frozenset(str(key) for key in OmegaConf.load(path))


def every_combination() -> list[Combination]:
    """The whole grid, then the variants of each option that has the key in question."""
    variants = {
        ("encoder", "bidirectional"): [False],
        ("encoder", "norm"): ["post"],
        ("encoder", "positions"): ["learned", "rotary", "none"],
        ("decoder", "norm"): ["post"],
        ("decoder", "positions"): ["learned", "rotary", "none"],
        ("encoder", "kernel_size"): [1, 5],
        ("decoder", "kernel_size"): [1, 2],
    }
    found = [Combination(*names) for names in GRID.combinations()]
    for (group, key), values in variants.items():
        found += [
            Combination(**{group: option}, changes=((f"{group}.{key}", value),))
            for option, value in itertools.product(GRID.options(group), values)
            if key in option_keys(group, option)
            and not (value == "rotary" and "num_heads" not in option_keys(group, option))
        ]
    for decoder, attention in itertools.product(GRID.options("decoder"), GRID.options("attention")):
        if "input_feeding" in option_keys("decoder", decoder):
            changes = (("decoder.input_feeding", True),)
            found.append(Combination(decoder=decoder, attention=attention, changes=changes))
    for decoder, bridge in itertools.product(GRID.options("decoder"), GRID.options("bridge")):
        if "bridge" in option_keys("decoder", decoder) and bridge != "linear":
            found.append(Combination(decoder=decoder, bridge=bridge))
    for decoder, tie in itertools.product(GRID.options("decoder"), ("target", "all")):
        found.append(Combination(decoder=decoder, changes=(("model.tie_embeddings", tie),)))
    return found


@dataclass(frozen=True)
class Case:
    """A model and three sources of different lengths with a target each."""

    combination: Combination
    model: Seq2Seq
    source: Tensor
    """(B, S)"""
    mask: Tensor
    """(B, S)"""
    target: Tensor
    """(B, T)"""

    def start(self, width: int = 1, sources: list[int] | None = None) -> State:
        """The state before the first symbol, ``width`` hypotheses for each of some sources."""
        rows = slice(None) if sources is None else sources
        memory = self.model.encode(self.source[rows], self.mask[rows])
        return self.model.start(memory).repeat(width)

    def feed(self, tokens: Tensor, state: State) -> tuple[Tensor, Tensor | None, State]:
        """Tokens (N, t) at once -> logits (N, t, V), weights (N, t, S), the next state."""
        decoded = self.model.decode(tokens, state)
        weights = None if decoded.weights is None else decoded.weights()
        return self.model.output(decoded.features), weights, decoded.state

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
        source, mask = (part[row].expand(len(outputs), -1) for part in (self.source, self.mask))
        log_probs = self.model(source, mask, target_in).log_softmax(-1)
        at_gold = log_probs.gather(2, gold.unsqueeze(2)).squeeze(2)
        return at_gold.masked_fill(~real, 0.0).sum(1)


@functools.cache
def make_case(combination: Combination) -> Case:
    chosen = {group: getattr(combination, group) for group in (*GRID.GROUPS, "bridge")}
    cfg = GRID.combine(composed(), chosen, SIZES)
    for key, value in combination.changes:
        OmegaConf.update(cfg, key, value)
    model = build_model(cfg, source_size=VOCABULARY, target_size=VOCABULARY, shared_vocabulary=True)
    generator = torch.Generator().manual_seed(0)
    for parameter in model.double().eval().parameters():  # biases and norms, too, must matter
        nn.init.normal_(parameter, std=0.6, generator=generator)
    lengths = torch.tensor(SOURCE_LENGTHS)
    shape = (len(lengths), max(SOURCE_LENGTHS))
    return Case(
        combination=combination,
        model=model,
        source=torch.randint(VOCABULARY, shape, generator=generator),
        mask=torch.arange(shape[1]) < lengths.unsqueeze(1),
        target=torch.randint(VOCABULARY, (shape[0], TARGET_LENGTH), generator=generator),
    )


@pytest.fixture(params=every_combination(), ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param)


@pytest.fixture(scope="session")
def grid() -> ModuleType:
    return GRID


@pytest.fixture
def equal() -> Callable[[Tensor, Tensor], None]:
    """Fails unless two tensors are equal in float64 up to the order of sums."""

    def check(actual: Tensor, expected: Tensor) -> None:
        assert actual.dtype == torch.float64
        torch.testing.assert_close(actual, expected, rtol=0, atol=ATOL)

    return check
