"""What a person sees: log lines, and no stray warnings of libraries."""

import logging
import os
import warnings
from pathlib import Path

import rich
from rich.logging import RichHandler

QUIET_LOGGERS = (
    "lightning.pytorch",
    "lightning.fabric",
    "datasets",
    "filelock",
    "fsspec",
    "matplotlib",
    "urllib3",
    "wandb",
)
IGNORED_WARNINGS = (
    ".*LeafSpec.*",
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*does not have many workers.*",
    ".*is smaller than the logging interval.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    ".*Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`.*",
)


def set_up(log_file: Path | None) -> None:
    """Send log lines to the terminal and to the run's folder, and quieten libraries."""
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    terminal = RichHandler(
        console=rich.get_console(), show_path=False, show_level=False, log_time_format="%H:%M:%S"
    )
    root.addHandler(terminal)
    if log_file is not None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        to_file = logging.FileHandler(log_file)
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        root.addHandler(to_file)
    root.setLevel(logging.INFO)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    for message in IGNORED_WARNINGS:
        warnings.filterwarnings("ignore", message)
