"""TensorBoard with hyperparameters, attention maps and example outputs beside the curves."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from tandem.core.types import Evaluated
from tandem.loggers.base import ReadMedia, as_markdown


class TensorBoard(TensorBoardLogger):
    """Lightning's logger, which writes into ``tensorboard/``; a resumed run goes on in it.

    The config is a text from the start. A run that has ended is a row of the page HPARAMS, with
    its last scores under ``final/``.

    :param folder: the run's folder.
    """

    def __init__(self, *, folder: str) -> None:
        super().__init__(folder, name="", version="tensorboard", default_hp_metric=False)
        self._settings: dict[str, Any] = {}
        self._scores: dict[str, float] = {}

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Take settings, as text for now."""
        self._settings |= params if isinstance(params, dict) else vars(params)
        super().log_hyperparams(params)
        text = yaml.safe_dump(self._settings, sort_keys=False, allow_unicode=True)
        self.experiment.add_text("config", f"```yaml\n{text}```", 0)

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:  # type: ignore[override]
        """Take values, and remember the scores among them."""
        super().log_metrics(metrics, step)
        scores = {
            name: float(metrics[name]) for name in metrics if name.startswith(("val/", "test/"))
        }
        self._scores |= scores

    @rank_zero_only
    def log_picture(self, key: str, path: Path, step: int) -> None:
        """Show a PNG file."""
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        self.experiment.add_image(key, pixels, step, dataformats="HWC")

    @rank_zero_only
    def log_samples(self, key: str, rows: Evaluated, media: ReadMedia, step: int) -> None:
        """Show example outputs as a table of texts."""
        self.experiment.add_text(key, as_markdown(rows), step)

    @rank_zero_only
    def finish(self, exit_code: int) -> None:
        """Write the row of the page HPARAMS."""
        if self._scores:
            final = {f"final/{name}": value for name, value in self._scores.items()}
            super().log_hyperparams(self._settings, final)
        self.experiment.flush()
