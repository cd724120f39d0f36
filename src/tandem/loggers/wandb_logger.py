"""Weights & Biases, offline unless asked, silent, and with all its files in the run's folder."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lightning.pytorch.loggers import Logger, WandbLogger

from tandem.core.errors import InputError
from tandem.core.onlookers import report_failure

if TYPE_CHECKING:
    import wandb

MODES = ("offline", "online", "disabled")
MEDIA = ("image", "audio")
"""What a table shows; of other sources it has the names alone."""

_own_variables: dict[str, str] = {}


def make_wandb_logger(
    *,
    project: str,
    name: str,
    group: str | None,
    tags: list[str],
    folder: str,
    mode: Literal["offline", "online", "disabled"],
    entity: str | None,
) -> WandbLogger:
    """Return Lightning's logger, which starts a W&B run when it logs for the first time.

    :param project: project on the dashboard.
    :param name: name of the run there.
    :param group: what the run is shown together with.
    :param tags: what runs can be filtered by.
    :param folder: the run's folder; W&B writes into ``wandb/`` in it.
    :param mode: ``offline`` needs neither account nor network, and ``wandb sync`` uploads later;
        ``online`` uploads while training; ``disabled`` writes nothing.
    :param entity: user or team that owns the project; None for the account's own choice.
    """
    if mode not in MODES:
        raise InputError(
            f"logger.wandb.mode ({mode}) is not a mode of W&B; choose one of {', '.join(MODES)}."
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    _keep_inside(Path(folder).resolve() / "wandb")
    logger = WandbLogger(
        project=project,
        name=name,
        group=group,
        tags=list(tags),
        save_dir=folder,
        mode=mode,
        entity=entity,
        log_model=False,
        settings={"console": "off", "silent": True},
    )
    # Lightning passes a setting that W&B only warns about.
    logger._wandb_init.pop("anonymous", None)
    if mode == "online":
        _start(logger)
    return logger


def _start(logger: WandbLogger) -> None:
    """Start the run at once, as an account or a network may be missing."""
    try:
        _ = logger.experiment
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "wandb":
            raise
        reason, *_ = str(error).splitlines() or [type(error).__name__]
        raise InputError(
            f"logger.wandb.mode=online cannot start ({reason.rstrip('.')}); run `wandb login` "
            "first, or use logger.wandb.mode=offline."
        ) from error


def finish(loggers: list[Logger], exit_code: int) -> None:
    """Close the W&B runs, so that the next run in this process starts one of its own.

    :param loggers: the trainer's loggers, of any kind.
    :param exit_code: 0 for a run that went well.
    """
    for logger in loggers:
        if isinstance(logger, WandbLogger) and logger._experiment is not None:
            try:
                logger._experiment.finish(exit_code=exit_code)
            except Exception as error:
                report_failure("W&B", error)


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
