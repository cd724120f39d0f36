"""ROUGE of the simplest summary: the first k words of the document, k the mean summary's length.

    python benchmarks/lead_baseline.py dataset=docstrings
    TANDEM_DATA=... python benchmarks/lead_baseline.py dataset=debian_synopsis

Takes a dataset and its options as `tandem train` does; k is the rounded mean number of words of
the training summaries. A model that learnt to summarize scores above it.
"""

import logging
import sys

from datasets import Dataset, DatasetDict
from hydra import compose, initialize_config_dir

from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.core.errors import InputError
from tandem.metrics import ROUGE


def load(overrides: list[str]) -> DatasetDict:
    """The dataset of a composed ``train`` config."""
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        cfg = compose("train", overrides)
    splits: DatasetDict = make(cfg.dataset)
    return splits


def mean_length(summaries: list[str]) -> int:
    """Rounded mean number of words."""
    return round(sum(len(summary.split()) for summary in summaries) / len(summaries))


def lead(split: Dataset, length: int) -> tuple[list[str], list[list[str]]]:
    """The first words of each document, and what counts as right."""
    hypotheses = [" ".join(document.split()[:length]) for document in split["source"]]
    if "references" in split.column_names:
        return hypotheses, split["references"][:]
    return hypotheses, [[summary] for summary in split["target"]]


def main() -> None:
    """Score validation and test."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.ERROR)
    try:
        splits = load(sys.argv[1:])
    except InputError as error:
        sys.exit(f"error: {error}")
    rouge = ROUGE(stemmer=True, tokenize="words")
    length = mean_length(splits["train"]["target"][:])
    print(f"lead-{length}; {rouge.signature}")
    for name in ("validation", "test"):
        scores = rouge(*lead(splits[name], length))
        figures = ", ".join(f"{score} {value:.2f}" for score, value in scores.items())
        print(f"{name}, {len(splits[name]):,} pairs: {figures}")


if __name__ == "__main__":
    main()
