"""The small models that the figures of ``docs/learn`` are drawn from.

    python benchmarks/lesson_models.py outputs/lessons
    python benchmarks/lesson_models.py outputs/lessons copying_false copying_true

Trains the models that the folder does not have yet, or those that are named, each by the
``tandem train`` command that it prints. They were trained in 1.5 to 14 minutes each, on two cores
that some 16 other processes used as well. The words of ``g2p`` come from ``TANDEM_DATA``, or from
the network.
"""

import argparse
import os
import random
import shlex
import subprocess
import sys
from pathlib import Path

STEPS = "trainer.max_epochs=-1 trainer.max_steps={} scheduler=cosine scheduler.warmup_steps=50"
REVERSE = (
    "dataset=reverse dataset.size=4000 hidden_size=64 bridge=zeros optimizer.lr=0.005 "
    f"batching.max_tokens=1024 {STEPS.format(400)}"
)
LONG = (
    "dataset=reverse dataset.size=10000 dataset.max_length=20 optimizer.lr=0.003 "
    "batching.max_tokens=2048 "
)
SPELLING = (
    "dataset=g2p dataset.language=fre encoder=lstm decoder=lstm attention=additive dropout=0.3 "
    "objective.ctc_weight=0.3 scorer=none optimizer.lr=0.003 batching.max_tokens=1024 "
    f"{STEPS.format(700)}"
)
NAMES = (
    "dataset=tsv dataset.data_dir={folder}/names tokenizer=bpe tokenizer.vocabulary_size=400 "
    "hidden_size=64 metric=[exact_match] optimizer.lr=0.005 batching.max_tokens=1024 "
    f"{STEPS.format(400)}"
)
HALF_WIDTH = 2
ATTENTIONS = {
    "none": "",
    "additive": "",
    "concat": "",
    "dot": "",
    "general": "",
    "multi_head": "",
    "location": "",
    "local_m": f" attention.half_width={HALF_WIDTH}",
    "local_p": f" attention.half_width={HALF_WIDTH}",
}
MODELS = {
    **{
        f"attention_{name}": f"{REVERSE} attention={name}{options}"
        for name, options in ATTENTIONS.items()
    },
    "length_none_64": f"{LONG}{STEPS.format(1500)} attention=none hidden_size=64",
    "length_additive_64": f"{LONG}{STEPS.format(500)} attention=additive hidden_size=64",
    "spelling": SPELLING,
    "copying_false": f"{NAMES} model.copying=false",
    "copying_true": f"{NAMES} model.copying=true",
}
"""By name, what stands behind ``tandem train``."""

PAIRS = {"train": 600, "validation": 100, "test": 300}
SYLLABLES = tuple(f"{first}{vowel}" for first in "bdfgklmnprstvz" for vowel in "aeiou")
SENTENCES = (
    ("please tell {} that {} is waiting in {}", "{1} waits for {0} in {2}"),
    ("{} asked whether {} has ever lived in {}", "{0} asks about {1} and {2}"),
    ("in {} nobody has seen {} or {} since", "{1} and {2} left {0}"),
)


def write_names(folder: Path) -> None:
    """Three files of sentences about people whose names are put together from syllables."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = random.Random(0)
    for split, size in PAIRS.items():
        lines = []
        for _ in range(size):
            source, target = drawn.choice(SENTENCES)
            names = ["".join(drawn.choices(SYLLABLES, k=3)).title() for _ in range(3)]
            lines.append(f"{source.format(*names)}\t{target.format(*names)}\n")
        (folder / f"{split}.tsv").write_text("".join(lines), encoding="utf-8")


def command(name: str, folder: Path) -> list[str]:
    """The words behind ``tandem`` that train a model."""
    options = MODELS[name].format(folder=folder)
    return ["train", *shlex.split(options), "logger=csv", f"run.folder={folder / name}"]


def train(name: str, folder: Path) -> bool:
    """Train one, in a process of its own, and say whether it went well."""
    words = command(name, folder)
    print("tandem", shlex.join(words), flush=True)
    code = "from tandem.commands.cli import main; main()"
    environment = {"OMP_NUM_THREADS": "1"} | dict(os.environ)
    with (folder / f"{name}.log").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            stdout=log, stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
    return done.returncode == 0


def main() -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", choices=[[], *MODELS], metavar="NAME")
    arguments = parser.parse_args()
    write_names(arguments.folder / "names")
    missing = (
        name
        for name in arguments.names or MODELS
        if not (arguments.folder / name / "bundle").exists()
    )
    failed = [name for name in missing if not train(name, arguments.folder)]
    if failed:
        sys.exit(f"Not trained: {', '.join(failed)}; {arguments.folder}/NAME.log says why.")


if __name__ == "__main__":
    main()
