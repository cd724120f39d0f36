"""Does every combination of encoder, decoder and attention learn?

    python benchmarks/grid.py
    python benchmarks/grid.py --sample 9 --seed 1

Each combination found in ``conf/`` learns to write 3 or 4 letters backwards, from 600 of the
750 strings over 5 letters, and is scored on the other 150. It passes if its loss on these, in nats
a symbol with ``eos`` counted, falls under a bound that needs the source read and its order kept:

- A model that ignores the source cannot get below 1.41: each letter costs log 5, and a string's
  length log 2 once. If it knew the length, 1.25. An untrained model stands at log 9 = 2.20.
- A model that knows which letters the source has, and how often, but not in which order cannot
  get below 0.41 on average: the logarithm of the number of different orders of a string.

``BOUND`` is half of the last figure.
"""

import argparse
import itertools
import math
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass

import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, open_dict
from torch import Tensor

from tandem.build import build_model
from tandem.core.types import SPECIAL_IDS, SPECIAL_TOKENS
from tandem.launch import config_folder
from tandem.models import Seq2Seq
from tandem.training.losses import LabelSmoothedCrossEntropy, token_losses

GROUPS = ("encoder", "decoder", "attention")
LETTERS = 5
LENGTHS = (3, 4)
HELD_OUT = 150
VOCABULARY = len(SPECIAL_TOKENS) + LETTERS
OVERRIDES = ("hidden_size=32", "dropout=0")
SIZES = {"num_layers": 1, "num_heads": 4, "feed_forward_size": 64, "kernel_size": 5}
STEPS, ROWS, RATE = 400, 50, 0.01

String = tuple[int, ...]


def options(group: str) -> list[str]:
    """The names of a group's options, from the listing of its folder."""
    return sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))


def combinations() -> list[tuple[str, str, str]]:
    """Every encoder, decoder and attention."""
    encoders, decoders, attentions = (options(group) for group in GROUPS)
    return list(itertools.product(encoders, decoders, attentions))


def compose_options(
    overrides: tuple[str, ...], groups: tuple[str, ...] = GROUPS
) -> dict[str, dict[str, DictConfig]]:
    """Compose ``train`` once for each option: group -> option -> the whole config."""
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return {
            group: {
                option: compose("train", overrides=[*overrides, f"{group}={option}"])
                for option in options(group)
            }
            for group in groups
        }


def combine(
    composed: dict[str, dict[str, DictConfig]], chosen: dict[str, str], sizes: dict[str, int]
) -> DictConfig:
    """One config from the options chosen in several groups.

    :param sizes: values for those of the options' keys that have these names.
    """
    groups = iter(chosen.items())
    first, option = next(groups)
    cfg = composed[first][option].copy()
    with open_dict(cfg):
        for group, option in groups:
            cfg[group] = composed[group][option]._get_node(group)
        for group, key in itertools.product(chosen, sizes):
            if key in cfg[group]:
                cfg[group][key] = sizes[key]
    return cfg


def strings() -> list[String]:
    """All strings over the letters, in a shuffled order that is always the same."""
    letters = range(len(SPECIAL_TOKENS), VOCABULARY)
    every = [text for length in LENGTHS for text in itertools.product(letters, repeat=length)]
    random.Random(0).shuffle(every)
    return every


def order_blind_loss() -> float:
    """Least mean loss of a model that knows a string's letters but not their order."""
    nats = symbols = 0.0
    for text in strings():
        orders = math.factorial(len(text))
        for count in Counter(text).values():
            orders //= math.factorial(count)
        nats += math.log(orders)
        symbols += len(text) + 1
    return nats / symbols


BOUND = order_blind_loss() / 2


@dataclass(frozen=True)
class Pairs:
    """Strings and their reversals, side by side; 0 is ``pad``."""

    source: Tensor
    """(B, S)"""
    target_in: Tensor
    """(B, T)"""
    target_out: Tensor
    """(B, T)"""

    @staticmethod
    def of(texts: list[String]) -> "Pairs":
        """The task's pairs for some strings."""
        bos, eos, pad = SPECIAL_IDS.bos, SPECIAL_IDS.eos, SPECIAL_IDS.pad
        width = max(LENGTHS) + 1

        def rows(lists: list[list[int]]) -> Tensor:
            return torch.tensor([ids + [pad] * (width - len(ids)) for ids in lists])

        return Pairs(
            source=rows([[*text, eos] for text in texts]),
            target_in=rows([[bos, *reversed(text)] for text in texts]),
            target_out=rows([[*reversed(text), eos] for text in texts]),
        )

    def features(self, model: Seq2Seq, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Features (R, D) and ids (R,) of the real target positions of some rows."""
        source = self.source[rows]
        state = model.start(model.encode(source, source != SPECIAL_IDS.pad))
        features = model.decode(self.target_in[rows], state).features  # (B, T, D)
        target = self.target_out[rows]
        real = target != SPECIAL_IDS.pad
        return features[real], target[real]


def learn(cfg: DictConfig) -> float:
    """Train on some of the strings; return the mean loss on the others."""
    texts = strings()
    train, held_out = Pairs.of(texts[HELD_OUT:]), Pairs.of(texts[:HELD_OUT])
    torch.manual_seed(0)
    model = build_model(cfg, source_size=VOCABULARY, target_size=VOCABULARY, shared_vocabulary=True)
    loss = LabelSmoothedCrossEntropy(smoothing=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    for step in range(STEPS):
        at = step * ROWS % len(train.source)
        if at == 0:
            order = torch.randperm(len(train.source))
        optimizer.zero_grad()
        features, target = train.features(model, order[at : at + ROWS])
        loss(features, model.output.weight, target).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.inference_mode():
        features, target = held_out.features(model, torch.arange(HELD_OUT))
        return token_losses(features, model.output.weight, target)[0].mean().item()


def spread(count: int, seed: int) -> list[tuple[str, str, str]]:
    """A sample that goes through each group's options in turn, each as often as the others."""
    rng = random.Random(seed)
    turns = []
    for group in GROUPS:
        names = options(group)
        rng.shuffle(names)
        turns.append(itertools.cycle(names))
    chosen: dict[tuple[str, str, str], None] = {}
    for encoder, decoder, attention in itertools.islice(zip(*turns, strict=True), 10 * count):
        chosen[(encoder, decoder, attention)] = None
        if len(chosen) == count:
            break
    return list(chosen)


def main() -> int:
    """Print a table; return 1 if any combination fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="so many combinations instead of all")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen = combinations()
    if arguments.sample is not None and arguments.sample < len(chosen):
        chosen = spread(arguments.sample, arguments.seed)
    composed = compose_options(OVERRIDES)
    begin, losses = time.monotonic(), []
    print(f"{'encoder':12} {'decoder':12} {'attention':11} {'loss':>6} {'bound':>6}")
    for names in chosen:
        losses.append(learn(combine(composed, dict(zip(GROUPS, names, strict=True)), SIZES)))
        verdict = "learns" if losses[-1] < BOUND else "FAILS"
        encoder, decoder, attention = names
        print(
            f"{encoder:12} {decoder:12} {attention:11} {losses[-1]:6.3f} {BOUND:6.3f}  {verdict}",
            flush=True,
        )
    learned = sum(loss < BOUND for loss in losses)
    print(
        f"{learned} of {len(chosen)} combinations learn; median loss "
        f"{statistics.median(losses):.3f}, worst {max(losses):.3f}, bound {BOUND:.3f}; "
        f"{time.monotonic() - begin:.0f} s"
    )
    return 0 if learned == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
