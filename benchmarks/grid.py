"""Does every combination of encoder, decoder and attention learn, from text, pictures and speech?

    python benchmarks/grid.py
    python benchmarks/grid.py --sample 9 --seed 1 --frontend speech

Each combination found in ``conf/`` learns the task of ``reversal.py``, to write 3 or 4 letters
backwards, from 600 of the 750 strings, and is scored on the other 150. For text, these are all
combinations there are; for each frontend that reads pictures or recordings, a spread in which every
option occurs.

A combination passes if its loss on the strings held out, in nats a symbol with ``eos`` counted,
falls under a bound that needs the source read and its order kept. The figures are about strings, so
they hold for each kind of source:

- A model that ignores the source cannot get below 1.37 on average, as the 750 strings are equally
  likely. An untrained model stands at log 9 = 2.20.
- A model that knows which letters the source has, and how often, but not in which order cannot
  get below 0.46 on average: the logarithm of the number of different orders of a string.

``BOUND`` is half of the last figure.
"""

import argparse
import itertools
import random
import statistics
import sys
import time
from collections.abc import Mapping

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf, open_dict
from reversal import BANDS, SIDE, VOCABULARY, Pairs, order_blind_loss, strings

from tandem.config.build import build_features, build_model
from tandem.config.catalogue import complete_options
from tandem.config.folders import config_folder
from tandem.inference.teacher_forcing import score_losses
from tandem.models import Seq2Seq
from tandem.training.losses import LabelSmoothedCrossEntropy

GROUPS = ("frontend", "encoder", "decoder", "attention")
HELD_OUT = 150
BOUND = order_blind_loss() / 2
OVERRIDES = ("hidden_size=32", "dropout=0")
MEDIA_OVERRIDES = {
    "text": (),
    "image": (
        "features=pixels",
        f"features.image_height={2 * SIDE}",
        f"features.image_width={2 * SIDE}",
        "features.channels=1",
    ),
    "audio": ("features=log_mel", f"features.num_mels={BANDS}"),
}
"""What the options of ``frontend`` need beside themselves, by the kind of their sources."""
SIZES = {
    "num_layers": 1,
    "num_heads": 4,
    "feed_forward_size": 64,
    "kernel_size": 5,
    "patch_size": SIDE,
    "stage_sizes": [16, 16, 16],
    "time_masks": 0,
    "frequency_masks": 0,
}
STEPS, ROWS, RATE = 400, 50, 0.01

Names = tuple[str, str, str, str]
"""A frontend, an encoder, a decoder and an attention."""


def options(group: str) -> list[str]:
    """The names of a group's options, from the listing of its folder.

    Left out are those that need a value of the user's, such as a checkpoint, and those that read no
    source, which a language model has.
    """
    names = complete_options(group)
    return [name for name in names if name != "none" or group not in ("frontend", "encoder")]


def media_of(frontend: str) -> str:
    """What an option of ``frontend`` reads: text, image or audio."""
    part = OmegaConf.load(config_folder() / "frontend" / f"{frontend}.yaml")
    media: str = get_object(part._target_).media
    return media


def combinations() -> list[Names]:
    """Every encoder, decoder and attention for text, and a spread of them for each other frontend.

    A spread has each encoder at least twice and every decoder and attention.
    """
    found: list[Names] = []
    _, encoders, decoders, attentions = (options(group) for group in GROUPS)
    count = max(2 * len(encoders), len(decoders), len(attentions))
    for seed, frontend in enumerate(options("frontend")):
        if media_of(frontend) == "text":
            every = itertools.product([frontend], encoders, decoders, attentions)
            found = [*every, *found]
        else:
            found += spread([frontend], count, seed)
    return found


def spread(frontends: list[str], count: int, seed: int) -> list[Names]:
    """A sample that goes through each group's options in turn, each as often as the others."""
    rng = random.Random(seed)
    turns = [itertools.cycle(frontends)]
    for group in GROUPS[1:]:
        names = options(group)
        rng.shuffle(names)
        turns.append(itertools.cycle(names))
    chosen: dict[Names, None] = {}
    for frontend, encoder, decoder, attention in itertools.islice(
        zip(*turns, strict=True), 10 * count
    ):
        chosen[(frontend, encoder, decoder, attention)] = None
        if len(chosen) == count:
            break
    return list(chosen)


def compose_options(
    overrides: tuple[str, ...],
    media_overrides: Mapping[str, tuple[str, ...]],
    groups: tuple[str, ...] = GROUPS,
) -> dict[str, dict[str, DictConfig]]:
    """Compose ``train`` once for each option: group -> option -> the whole config.

    :param media_overrides: for options of ``frontend``, by the kind of their sources.
    """

    def composed(group: str, option: str) -> DictConfig:
        more = media_overrides[media_of(option)] if group == "frontend" else ()
        return compose("train", overrides=[f"{group}={option}", *overrides, *more])

    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return {
            group: {option: composed(group, option) for option in options(group)}
            for group in groups
        }


def combine(
    composed: dict[str, dict[str, DictConfig]], chosen: dict[str, str], sizes: Mapping[str, object]
) -> DictConfig:
    """One config from the options chosen in several groups.

    :param chosen: group -> option, ``frontend`` first, whose features the config keeps.
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


def make_model(cfg: DictConfig, vocabulary: int) -> Seq2Seq:
    """The model of a config for a vocabulary, which a text source shares."""
    features = build_features(cfg)
    return build_model(
        cfg,
        source_size=features.width if features else vocabulary,
        target_size=vocabulary,
        shared_vocabulary=features is None,
    )


def learn(cfg: DictConfig, steps: int, device: str = "cpu") -> float:
    """Train on some of the strings; return the mean loss on the others."""
    torch.manual_seed(0)
    model = make_model(cfg, VOCABULARY).to(device)
    texts, media = strings(), model.frontend.media
    train, held_out = (
        Pairs.of(some, media).to(device) for some in (texts[HELD_OUT:], texts[:HELD_OUT])
    )
    loss = LabelSmoothedCrossEntropy(smoothing=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for step in range(steps):
        at = step * ROWS % len(train.source)
        if at == 0:
            order = torch.randperm(len(train.source)).to(device)
        optimizer.zero_grad()
        features, target = train.features(model, order[at : at + ROWS])
        loss(features, model.output.weight, target).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.inference_mode():
        features, target = held_out.features(model, torch.arange(HELD_OUT, device=device))
        return score_losses(model.output(features), target)[0].mean().item()


def main() -> int:
    """Print a table; return 1 if any combination fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="so many of each frontend instead of all")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument("--frontend", choices=options("frontend"), help="this one only")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    frontends = [arguments.frontend] if arguments.frontend else options("frontend")
    if arguments.sample is None:
        chosen = [names for names in combinations() if names[0] in frontends]
    else:
        chosen = [
            names
            for frontend in frontends
            for names in spread([frontend], arguments.sample, arguments.seed)
        ]
    composed = compose_options(OVERRIDES, MEDIA_OVERRIDES)
    begin, losses = time.monotonic(), []
    print(f"{'frontend':9} {'encoder':12} {'decoder':12} {'attention':11} {'loss':>6} {'bound':>6}")
    for names in chosen:
        cfg = combine(composed, dict(zip(GROUPS, names, strict=True)), SIZES)
        losses.append(learn(cfg, STEPS, arguments.device))
        verdict = "learns" if losses[-1] < BOUND else "FAILS"
        frontend, encoder, decoder, attention = names
        print(
            f"{frontend:9} {encoder:12} {decoder:12} {attention:11} {losses[-1]:6.3f} "
            f"{BOUND:6.3f}  {verdict}",
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
