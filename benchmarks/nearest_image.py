"""How far does a captioner get that knows nothing of words? Copy the most similar picture's text.

    python benchmarks/nearest_image.py dataset=glyphs
    python benchmarks/nearest_image.py dataset=emoji

For each picture of validation and test it writes the text of the training picture whose pixels
are nearest (Euclidean distance), and scores these texts as the models are scored. On ``glyphs`` no
text of these splits is in training, so exact match must be 0 there.
"""

import argparse

import numpy as np
import numpy.typing as npt
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from tandem.config.build import build_data
from tandem.config.folders import config_folder
from tandem.core.errors import InputError
from tandem.data.module import DataModule
from tandem.metrics import BLEU, ExactMatch

ROWS = 256
"""Pictures compared at once."""

Matrix = npt.NDArray[np.float32]


def pictures(data: DataModule, split: str) -> Matrix:
    """All pictures of a split (N, H * W * channels), in the order of their rows."""
    encoded = data.encoded(split)
    source, _ = encoded.source.batch(np.arange(len(encoded)))
    return source.flatten(1).numpy().astype(np.float32)


def nearest(queries: Matrix, candidates: Matrix) -> npt.NDArray[np.int64]:
    """For each query the candidate with the least distance; the first of equal ones."""
    squares = np.square(candidates).sum(1)
    parts = [
        (squares - 2 * queries[start : start + ROWS] @ candidates.T).argmin(1)
        for start in range(0, len(queries), ROWS)
    ]
    return np.concatenate(parts)


def load(overrides: list[str]) -> DataModule:
    """Compose the config as the command line does, and load its data."""
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        cfg: DictConfig = compose("train", overrides=overrides)
    if not cfg.features or "image_height" not in cfg.features:
        raise InputError("The baseline needs a dataset of pictures, such as dataset=glyphs.")
    data = build_data(cfg)
    data.prepare()
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("overrides", nargs="+", help="of train.yaml, such as dataset=glyphs")
    data = load(parser.parse_args().overrides)
    train = pictures(data, "train")
    assert data.splits is not None
    texts = data.splits["train"]["target"][:]
    rows = data.encoded("train").rows
    metrics = [
        ExactMatch(lowercase=False),
        BLEU(tokenize="13a", lowercase=False, smooth_method="exp"),
    ]
    for split in ("validation", "test"):
        found = nearest(pictures(data, split), train)
        hypotheses = [texts[rows[place]] for place in found]
        references = data.references(split, data.encoded(split).rows.tolist())
        scores = {
            name: value
            for metric in metrics
            for name, value in metric(hypotheses, references).items()
        }
        print(f"{split}: " + ", ".join(f"{name} {value:.2f}" for name, value in scores.items()))


if __name__ == "__main__":
    main()
