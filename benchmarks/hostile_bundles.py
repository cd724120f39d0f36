"""Bundles made to harm who loads them, as data: a sound one, and one thing in it that is not.

``faults.py bundles`` loads each in a process with little memory and little time; a test loads some.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hostile_configs
import hostile_files
import hostile_tokenizers
import hostile_weights
import torch
from hostile import Variant

from tandem.commands.train import bundle_config
from tandem.config.build import build_model, build_reader
from tandem.config.instantiate import make, plain
from tandem.config.launch import compose
from tandem.data.preprocessing import LearnProcessors
from tandem.inference.bundle import save_bundle

SMALL = ("dataset=reverse", "hidden_size=8", "run.folder=none", "logger=none")
SOUND = {
    "words": (),
    "pieces": (
        "tokenizer=bpe",
        "tokenizer.vocabulary_size=296",
        "tokenizer.shared=true",
        "model.tie_embeddings=all",
        "encoder=transformer",
        "decoder=transformer",
        "encoder.positions=learned",
        "encoder.max_length=20",
        "search=beam",
        "scorer=coverage",
        "rule=[banned,min_length]",
        "rule.banned.sequences=[[5,6]]",
    ),
    "unigram": ("tokenizer=unigram", "tokenizer.vocabulary_size=296", "search=sampling"),
    "bytes": ("tokenizer=byte", "encoder=cnn", "decoder=cnn", "attention=location"),
    "pictures": (
        "features=pixels",
        "features.image_height=16",
        "features.image_width=8",
        "frontend=cnn_stem",
        "frontend.stage_sizes=[4]",
        "objective.ctc_weight=0.3",
    ),
    "recordings": ("features=log_mel", "features.num_mels=8", "frontend=speech"),
}
"""Overrides of configs whose bundles are sound."""
TEXTS = ["a b c d e", "the cat sat on the mat", "e d c b a"]


def write_sound(name: str, folder: Path) -> str:
    """Write a sound bundle with random weights, and what it can read.

    :return: a source: a text, or the name of a file in the folder.
    """
    cfg = compose("train", [*SMALL, *SOUND[name]])
    recipe = make(cfg.tokenizer)
    learn = LearnProcessors(
        reader=build_reader(cfg),
        source_recipe=recipe,
        target_recipe=recipe,
        truncate_source=None,
    )
    processors = learn(lambda column: TEXTS)
    torch.manual_seed(0)
    model = build_model(
        cfg,
        source_size=processors.source.size,
        target_size=processors.target.vocabulary_size,
        shared_vocabulary=processors.shared,
    )
    config = bundle_config(plain(cfg))
    save_bundle(folder, model=model, processors=processors, max_length=9, config=config)
    return _write_source(name, folder)


def _write_source(name: str, folder: Path) -> str:
    if name == "pictures":
        from PIL import Image

        Image.new("L", (8, 16), 7).save(folder / "source.png")
        return "source.png"
    if name == "recordings":
        import numpy as np
        import soundfile

        soundfile.write(folder / "source.wav", np.sin(np.arange(16_000) / 9), 16_000)
        return "source.wav"
    return TEXTS[0]


def variants(sound: Path) -> Iterator[Variant]:
    """All of them.

    :param sound: a folder with each sound bundle under its name.
    """
    for name in SOUND:
        yield Variant("a sound bundle", "as it is", name, lambda folder: None)
    for name in SOUND:
        yield from hostile_configs.values(name, sound / name)
    yield from hostile_configs.sizes()
    yield from hostile_configs.structures()
    yield from hostile_configs.names()
    yield from hostile_files.variants()
    yield from hostile_weights.variants()
    yield from hostile_tokenizers.variants()


def short_form(sound: Path) -> Iterator[Variant]:
    """Some of them, of every kind, which take a few seconds altogether."""
    every = {
        "a sound bundle": 1,
        "values of the config": 150,
        "sizes that eat memory": 2,
        "structures": 4,
        "names of what is no part": 8,
        "files that are something else": 3,
        "weights": 3,
        "tokenizers": 12,
    }
    seen = Counter[str]()
    for variant in variants(sound):
        if "MB" in variant.name or "illion" in variant.name:
            continue
        if seen[variant.kind] % every[variant.kind] == 0:
            yield variant
        seen[variant.kind] += 1
