"""Training from a script or a notebook: ``tandem.compose`` and ``tandem.train``."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tandem.commands.arguments import check_keys
from tandem.config.composed import (
    Config,
    checked_words,
    compose_training,
    named_packages,
    training_job,
)
from tandem.config.launch import command_line, overrides_to_resume
from tandem.core.allocator import keep_freed_memory
from tandem.core.errors import InputError, no_room
from tandem.core.parent import MISTAKE_FILE
from tandem.core.printing import say
from tandem.core.stopping import Stopped

if TYPE_CHECKING:
    from tandem.inference import Bundle


__all__ = ["Config", "InputError", "TrainedRun", "compose", "train"]


@dataclass(frozen=True)
class TrainedRun:
    """A run that came to its end."""

    metrics: dict[str, float]
    """Final scores by the names that they are logged under, such as ``test/exact_match``."""
    folder: Path
    """Where all that the run wrote stands."""
    trusted: tuple[str, ...] = field(default=(), repr=False)
    """Packages beside Tandem that the config named, whose classes the bundle may be made of."""

    @cached_property
    def bundle(self) -> "Bundle":
        """The trained model, ready to use; it is read when it is first asked for."""
        from tandem.inference import load_bundle

        return load_bundle(self.folder, trusted=self.trusted)


def compose(overrides: Iterable[str] = ()) -> Config:
    """Compose the config of a training, without running anything.

    :param overrides: as behind ``tandem train``, such as ``["dataset=scan", "encoder=lstm"]``. A
        ``conf/`` folder in the working directory extends Tandem's.
    :raises InputError: if a key, an option or a value does not exist or is out of its range.
    """
    words = checked_words(overrides)
    check_keys("train", list(words))
    return compose_training(words)


def train(config: Config | Iterable[str] = ()) -> TrainedRun:
    """Train as ``tandem train`` does, in this process.

    While it runs, log lines go to the terminal or notebook and to ``train.log`` in the run's
    folder; the program's own log handlers are put back at the end. Global seeds are set.

    :param config: what :func:`compose` returned, or its overrides.
    :raises InputError: if something in the config or the data cannot work.
    :raises KeyboardInterrupt: if Ctrl-C or the notebook's stop button ends the run, behind its
        next checkpoint; a message says how to resume it.
    """
    _refuse_import_by_worker()
    chosen = config if isinstance(config, Config) else compose(config)
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # read when it is imported
    from tandem.commands import console
    from tandem.commands.train import train as train_as_composed

    keep_freed_memory()
    with training_job(chosen) as cfg, console.borrowed_logging():
        try:
            metrics = train_as_composed(cfg, command_line("train", list(chosen.overrides)))
        except Stopped as stopped:
            again = overrides_to_resume(Path(cfg.run.folder), chosen.overrides)
            say(stopped.how_to_go_on(f"tandem.train({again!r})" if again else ""))
            if stopped.signal_name == signal.SIGINT.name:
                raise KeyboardInterrupt from stopped
            raise
        except OSError as error:
            full = no_room(error)
            if full is None:
                raise
            raise full from error
        return TrainedRun(metrics, Path(cfg.run.folder), named_packages(cfg))


def _refuse_import_by_worker() -> None:
    """Refuse to train while a process of another training imports the script that started it.

    The one that started it says so in its place.
    """
    if not getattr(multiprocessing.current_process(), "_inheriting", False):
        return
    sentence = (
        "With several processes each of them imports this script, which would train again; put "
        'what is to run once under `if __name__ == "__main__":`.'
    )
    if MISTAKE_FILE in os.environ:
        Path(os.environ[MISTAKE_FILE]).write_text(sentence, encoding="utf-8")
        sys.exit(InputError.exit_code)
    raise InputError(sentence)
