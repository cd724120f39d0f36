"""Pictures of where the decoder looked: at the end of a run, and now and then before."""

import logging
import time
from functools import partial
from pathlib import Path
from typing import cast

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tandem.callbacks.evaluated_rows import LOG_PREFIX, Split, showing_loggers
from tandem.callbacks.onlooker import RowsOnlooker
from tandem.core.types import SPECIAL_IDS, Evaluated
from tandem.data.features import Vectors
from tandem.data.module import DataModule
from tandem.data.readers import SourceReader
from tandem.frontends.base import Frontend
from tandem.reports import AttentionMap, Drawing, draw, draw_image, draw_speech, save
from tandem.training.module import Seq2SeqModule

log = logging.getLogger(__name__)


class AttentionMaps(RowsOnlooker):
    """Draws the first rows' maps into ``attention/`` and to the loggers; rank zero does it alone.

    ``val-0.png`` and so on are of the latest validation that was drawn, ``test-0.png`` of the
    test. A run ends with a validation of the weights that it keeps, and with the test; both are
    drawn. While it trains, a validation is drawn if enough time has gone by, as a picture takes
    longer than many a training step.

    :param count: how many rows.
    :param every_n_minutes: of training, between validations that are drawn; None: only the last.
    :param folder: the run's folder.
    """

    def __init__(self, *, count: int, every_n_minutes: float | None, folder: str) -> None:
        super().__init__(count=count)
        self.every_n_minutes = every_n_minutes
        self.folder = Path(folder) / "attention"
        self._drawn_at = 0.0
        self._said_no_weights = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start to wait."""
        self._drawn_at = time.monotonic()

    def use(
        self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split, rows: Evaluated
    ) -> None:
        """Draw rows of the split."""
        if not trainer.is_global_zero or (trainer.state.fn == "fit" and not self._is_time()):
            return
        drawings = self.drawings(trainer, pl_module, split, rows)
        for place, (index, drawing) in enumerate(zip(rows.indices, drawings, strict=True)):
            if drawing is None:
                self._say_no_weights()
                continue
            name = f"{LOG_PREFIX[split]}-{place}"
            path = self.folder / f"{name}.png"
            save(drawing(f"{split}, row {index}, step {trainer.global_step}"), path)
            # Pictures under one key must have one size, so each gets a key.
            for logger in showing_loggers(trainer):
                logger.log_picture(f"attention/{name}", path, trainer.global_step)
        self._drawn_at = time.monotonic()

    def _is_time(self) -> bool:
        if self.every_n_minutes is None:
            return False
        return time.monotonic() - self._drawn_at >= 60 * self.every_n_minutes

    @staticmethod
    def drawings(
        trainer: L.Trainer, pl_module: L.LightningModule, split: Split, rows: Evaluated
    ) -> list[Drawing]:
        """What draws the attention of each row over its hypothesis."""
        data = cast(DataModule, trainer.datamodule)  # type: ignore[attr-defined]
        module, sources = cast(Seq2SeqModule, pl_module), data.encoded(split).source
        return [
            attention_drawing(module, *sources.batch(np.array([index])), hypothesis)
            for index, hypothesis in zip(rows.indices, rows.hypotheses, strict=True)
        ]

    def _say_no_weights(self) -> None:
        if not self._said_no_weights:
            log.info("This attention has no weights, so no attention maps are drawn.")
            self._said_no_weights = True


@torch.inference_mode()
def attention_drawing(
    module: Seq2SeqModule, source: Tensor, source_mask: Tensor, target: str
) -> Drawing:
    """What draws where the last attention looked while a target was forced on the decoder.

    :param source: one source, (1, S) or (1, S, width).
    :param source_mask: (1, S)
    :return: None if the attention has no weights.
    """
    reader, writer = module.processors.source, module.processors.target
    target_ids = [*writer.encode_batch([target])[0], SPECIAL_IDS.eos]
    target_row = torch.tensor([[SPECIAL_IDS.bos, *target_ids[:-1]]], device=module.device)
    memory = module.model.encode(source.to(module.device), source_mask.to(module.device))
    made = module.model.decode(target_row, module.model.start(memory)).weights
    if made is None:
        return None
    weights, tokens = made()[0].float().cpu().numpy(), writer.tokens(target_ids)
    return source_drawing(reader, module.model.frontend, source[0].numpy(), tokens, weights)


def source_drawing(
    reader: SourceReader,
    frontend: Frontend,
    positions: Vectors,
    tokens: list[str],
    weights: NDArray[np.floating],
) -> Drawing:
    """Weights (T, S') over what can be shown of a source: its picture, sound, symbols or places.

    :param positions: (S,) or (S, width), as in a batch.
    """
    if reader.media == "image":
        grid = frontend.grid(len(positions))
        return partial(draw_image, reader.preview(positions).picture, tokens, weights, grid)
    if reader.media == "audio":
        picture, seconds = reader.preview(positions)
        return partial(draw_speech, picture, seconds / len(picture), tokens, weights)
    labels = reader.labels(positions)
    if labels is None or len(labels) != weights.shape[1]:  # a frontend may change the length
        labels = [str(place) for place in range(1, weights.shape[1] + 1)]
    return partial(draw, AttentionMap(labels, tokens, weights))
