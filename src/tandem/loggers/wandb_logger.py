"""Weights & Biases, offline unless asked, silent, and with all its files in the run's folder."""

import io
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lightning.pytorch.loggers import WandbLogger

from tandem.core.errors import InputError, reason_of
from tandem.core.types import Evaluated
from tandem.loggers.base import ReadMedia, is_first_process, keep_id, read_id

if TYPE_CHECKING:
    import wandb

MODES = ("offline", "online", "disabled")
_own_variables: dict[str, str] = {}


class Wandb(WandbLogger):
    """Lightning's logger, which starts a W&B run when it logs for the first time.

    A resumed run goes on in the same W&B run, whose id stands in ``wandb/id.txt``. Offline each
    part is a folder of its own in ``wandb/``, and ``wandb sync`` puts them together.

    :param project: project on the dashboard.
    :param name: name of the run there.
    :param group: what the run is shown together with.
    :param tags: what runs can be filtered by.
    :param folder: the run's folder; W&B writes into ``wandb/`` in it.
    :param mode: ``offline`` needs neither account nor network, and ``wandb sync`` uploads later;
        ``online`` uploads while training; ``disabled`` writes nothing.
    :param entity: user or team that owns the project; None for the account's own choice.
    """

    def __init__(
        self,
        *,
        project: str,
        name: str,
        group: str | None,
        tags: list[str],
        folder: str,
        mode: Literal["offline", "online", "disabled"],
        entity: str | None,
    ) -> None:
        if mode not in MODES:
            raise InputError(
                f"logger.wandb.mode ({mode}) is not a mode of W&B; choose one of "
                f"{', '.join(MODES)}."
            )
        Path(folder).mkdir(parents=True, exist_ok=True)
        inside = Path(folder).resolve() / "wandb"
        _keep_inside(inside)
        super().__init__(
            project=project,
            name=name,
            group=group,
            tags=list(tags),
            save_dir=folder,
            id=None if mode == "disabled" else _run_id(inside / "id.txt"),
            mode=mode,
            entity=entity,
            log_model=False,
            settings={"console": "off", "silent": True},
        )
        # Lightning passes a setting that W&B only warns about.
        self._wandb_init.pop("anonymous", None)
        if mode == "online":
            _start(self)

    def log_picture(self, key: str, path: Path, step: int) -> None:
        """Show a PNG file."""
        self.log_image(key, images=[str(path)], step=step)

    def log_samples(self, key: str, rows: Evaluated, media: ReadMedia, step: int) -> None:
        """Show example outputs as a table, with the pictures or recordings that they are of."""
        read = media()
        cells = None if read is None else [media_cell(read[0], one) for one in read[1]]
        columns, data = table(rows, cells)
        self.log_table(key, columns=columns, data=data, step=step)

    def finish(self, exit_code: int) -> None:
        """Close the W&B run, so that the next run in this process starts one of its own."""
        if self._experiment is not None:
            self._experiment.finish(exit_code=exit_code)


def _run_id(path: Path) -> str | None:
    """The id of the W&B run: what W&B's own variable says, or what the run's folder keeps."""
    if "WANDB_RUN_ID" in os.environ or not is_first_process():
        return None
    run_id = read_id(path) or secrets.token_hex(4)
    keep_id(path, run_id)
    return run_id


def _start(logger: WandbLogger) -> None:
    """Start the run at once, as an account or a network may be missing."""
    try:
        _ = logger.experiment
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "wandb":
            raise
        reason = reason_of(error)
        raise InputError(
            f"logger.wandb.mode=online cannot start ({reason.rstrip('.')}); run `wandb login` "
            "first, or use logger.wandb.mode=offline."
        ) from error


def table(rows: Evaluated, media: list[Any] | None = None) -> tuple[list[str], list[list[Any]]]:
    """Return the columns and the data of a W&B table.

    :param media: for sources that are not text, what to show beside each one's name.
    """
    columns = ["index", "source", "hypothesis", "reference"]
    texts = ["\n".join(references) for references in rows.references]
    found = zip(rows.indices, rows.sources, rows.hypotheses, texts, strict=True)
    data: list[list[Any]] = [list(row) for row in found]
    if media is not None:
        columns.insert(1, "media")
        for row, cell in zip(data, media, strict=True):
            row.insert(1, cell)
    return columns, data


def media_cell(kind: str, file_bytes: bytes) -> "wandb.Image | wandb.Audio":
    """Return a picture or a recording that a W&B table shows.

    :param kind: what the bytes are, one of ``MEDIA``.
    :param file_bytes: the content of a file in any format that Pillow or libsndfile reads.
    """
    import wandb  # takes a second, which only runs that use it should wait

    if kind == "image":
        from PIL import Image

        with Image.open(io.BytesIO(file_bytes)) as picture:
            return wandb.Image(picture)
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(file_bytes), dtype="float32")
    return wandb.Audio(samples, sample_rate=rate)


def _keep_inside(folder: Path) -> None:
    """Move what W&B would leave in the home folder; the user's own choice comes first."""
    for variable, path in (("WANDB_DATA_DIR", folder), ("WANDB_CACHE_DIR", folder / "cache")):
        if os.environ.get(variable) in (None, _own_variables.get(variable)):
            os.environ[variable] = _own_variables[variable] = str(path)
