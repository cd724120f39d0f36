"""Pictures of where the decoder looked: at the end of a run, and now and then before."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tandem.callbacks.evaluated_rows import LOG_PREFIX, Split, showing_loggers
from tandem.callbacks.onlooker import RowsOnlooker
from tandem.callbacks.training_time import off_the_clock
from tandem.core.types import SPECIAL_IDS, Evaluated
from tandem.data.features import Vectors
from tandem.data.module import DataModule
from tandem.data.ragged import Ragged
from tandem.data.readers import SourceReader
from tandem.models import Seq2Seq
from tandem.reports import Drawing, save, source_drawing
from tandem.training.module import Seq2SeqModule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    """One that is drawn in the background."""

    key: str
    """Under which the loggers show it."""
    path: Path
    step: int
    """Of training, that it shows."""
    written: "Future[None]"


class AttentionMaps(RowsOnlooker):
    """Draws the first rows' maps into ``attention/`` and to the loggers; rank zero does it alone.

    ``val-0.png`` and so on are of the latest validation that was drawn, ``test-0.png`` of the
    test. A run ends with a validation of the weights that it keeps, and with the test; both are
    drawn. While it trains, a validation is drawn if enough time has gone by, as a picture takes
    longer than many a training step.

    A validation reads the weights; a thread draws while training goes on. The loggers get the
    pictures in the training loop once they are written, with the step that they show. All are
    there when Lightning's ``fit``, ``validate`` or ``test`` returns or is stopped.

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
        self._thread: ThreadPoolExecutor | None = None
        self._coming: list[Picture] = []
        """What the loggers still have to get, in order."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start to wait."""
        self._drawn_at = time.monotonic()

    def use(
        self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split, rows: Evaluated
    ) -> None:
        """Have rows of the split drawn."""
        if not trainer.is_global_zero or (trainer.state.fn == "fit" and not self._is_time()):
            return
        self._show(trainer)  # before a picture of the same name takes their place
        drawings = self.drawings(trainer, pl_module, split, rows)
        for place, (index, drawing) in enumerate(zip(rows.indices, drawings, strict=True)):
            if drawing is None:
                self._say_no_weights()
                continue
            title = f"{split}, row {index}, step {trainer.global_step}"
            self._draw(f"{LOG_PREFIX[split]}-{place}", drawing, title, trainer.global_step)
        self._drawn_at = time.monotonic()

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Show pictures that are all written."""
        if self._coming and self._coming[-1].written.done():
            with off_the_clock(trainer):
                self._show(trainer)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Wait for all pictures, and end the thread."""
        self._show(trainer)
        self.left_out()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """The same for a run that stops."""
        self.teardown(trainer, pl_module, "")

    def left_out(self) -> None:
        """Draw nothing more."""
        self._coming = []
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None

    def _draw(self, name: str, drawing: "Callable[[str], Figure]", title: str, step: int) -> None:
        """Let the thread draw into a file."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="attention_maps")
        path = self.folder / f"{name}.png"
        written = self._thread.submit(write_picture, drawing, title, path)
        # Pictures under one key must have one size, so each gets a key.
        self._coming.append(Picture(f"attention/{name}", path, step, written))

    def _show(self, trainer: L.Trainer) -> None:
        """Give pictures to the loggers, each as soon as it is written."""
        coming, self._coming = self._coming, []
        for picture in coming:
            picture.written.result()
            for logger in showing_loggers(trainer):
                logger.log_picture(picture.key, picture.path, picture.step)

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
        source, source_mask = data.encoded(split).source.batch(np.array(rows.indices))
        module = cast(Seq2SeqModule, pl_module)
        return attention_drawings(module, source, source_mask, rows.hypotheses)

    def _say_no_weights(self) -> None:
        if not self._said_no_weights:
            log.info("This attention has no weights, so no attention maps are drawn.")
            self._said_no_weights = True


def write_picture(drawing: "Callable[[str], Figure]", title: str, path: Path) -> None:
    """Draw an attention map into a file."""
    save(drawing(title), path)


@torch.inference_mode()
def attention_drawings(
    module: Seq2SeqModule, source: Tensor, source_mask: Tensor, targets: list[str]
) -> list[Drawing]:
    """What draws where the last attention looked while targets were forced on the decoder.

    :param source: (B, S) or (B, S, width), on the host.
    :param source_mask: (B, S)
    :param targets: B texts.
    :return: None for each if the attention has no weights.
    """
    reader, writer = module.processors.source, module.processors.target
    outputs = writer.encode_batch(targets)
    target_in, _ = Ragged.from_lists(outputs).padded(
        np.arange(len(outputs)), before=SPECIAL_IDS.bos, after=None, pad=SPECIAL_IDS.pad
    )
    memory = module.model.encode(source.to(module.device), source_mask.to(module.device))
    predicted = module.model.decode(target_in.to(module.device), module.model.start(memory))
    if predicted.weights is None:
        return [None] * len(outputs)
    weights = predicted.weights().float().cpu().numpy()  # (B, T, S')
    lengths = source_mask.sum(1).tolist(), memory.mask.sum(1).tolist()
    drawings = []
    for row, (ids, size, places) in enumerate(zip(outputs, *lengths, strict=True)):
        tokens = writer.tokens([*ids, SPECIAL_IDS.eos])
        shown, looked = source[row, :size].numpy(), weights[row, : len(tokens), :places]
        drawings.append(reader_drawing(reader, module.model, shown, tokens, looked))
    return drawings


def reader_drawing(
    reader: SourceReader,
    model: Seq2Seq,
    positions: Vectors,
    tokens: list[str],
    weights: NDArray[np.floating],
) -> Drawing:
    """Weights (T, S') over what can be shown of a source: its picture, sound, symbols or places.

    :param positions: (S,) or (S, width), as in a batch.
    """
    is_drawn = reader.media in ("image", "audio")
    return source_drawing(
        tokens,
        weights,
        media=reader.media,
        labels=None if is_drawn else reader.labels(positions),
        preview=reader.preview(positions) if is_drawn else None,
        grid=model.grid(len(positions)) if reader.media == "image" else None,
    )
