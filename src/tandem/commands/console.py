"""What a person sees: log lines, and no stray warnings of libraries."""

import logging
import re
import sys
import textwrap
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import rich
from rich.text import Text

from tandem.core.terminal import visible

QUIET_LOGGERS = (
    "lightning.pytorch",
    "lightning.fabric",
    "datasets",
    "filelock",
    "fsspec",
    "hydra",
    "matplotlib",
    "onnx_ir",
    "onnxscript",
    "torch.onnx",
    "torch.multiprocessing",
    "urllib3",
    "wandb",
)
NO_BREAK = "\N{NO-BREAK SPACE}"
IGNORED_WARNINGS = (
    ".*It is recommended to use `self.log.*sync_dist=True.*",  # ranks agree before they log
    ".*LeafSpec.*",
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*does not have many workers.*",
    ".*in eval mode at the start of training.*",  # which parts that are frozen are to be
    ".*is smaller than the logging interval.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    ".*Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`.*",
)


def set_up(log_file: Path | None, *, level: int = logging.INFO) -> None:
    """Send log lines to the terminal and to the run's folder, and quieten libraries."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.addHandler(_terminal_handler())
    if log_file is not None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        to_file = logging.FileHandler(log_file, encoding="utf-8", errors="backslashreplace")
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        root.addHandler(to_file)
    root.setLevel(level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    elastic = logging.getLogger("torch.distributed.elastic")
    elastic.propagate = False  # what it logs when a process dies, it also raises
    elastic.addHandler(logging.NullHandler())
    for message in IGNORED_WARNINGS:
        warnings.filterwarnings("ignore", message)


@contextmanager
def borrowed_logging() -> Iterator[None]:
    """Put the log handlers of the program that calls aside, and give them back at the end."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)


class _Visible(logging.Formatter):
    """Writes out control characters, which a source or a file's name may have."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return visible(super().format(record))


def _terminal_handler() -> logging.Handler:
    """Coloured lines on a terminal; elsewhere, as in a file or a pipe, one plain line a record.

    A notebook gets them as output, since it shows what comes from ``stderr`` on red.
    """
    if rich.get_console().is_terminal:
        coloured = TerminalHandler()
        coloured.setFormatter(_Visible())
        return coloured
    plain = logging.StreamHandler(sys.stdout if rich.get_console().is_jupyter else sys.stderr)
    plain.setFormatter(_Visible("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    return plain


class TerminalHandler(logging.Handler):
    """Prints records above a live line, broken between words; a long path stays in one piece."""

    STYLES: ClassVar = {logging.WARNING: "yellow", logging.ERROR: "bold red"}

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record as it is, whatever brackets it has."""
        try:
            said_at = time.strftime("%H:%M:%S", time.localtime(record.created))
            console, indent = rich.get_console(), len(said_at) + 1
            lines = wrapped(self.format(record), console.width - indent)
            text = f"\n{' ' * indent}".join(lines)
            line = Text.assemble((said_at, "dim"), " ", (text, self.STYLES.get(record.levelno, "")))
            console.print(line, soft_wrap=True)
        except Exception:
            self.handleError(record)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of a text, broken neither within a word, so that paths can be copied, nor before a
    number, so that it stays with its name.
    """
    return [
        line.replace(NO_BREAK, " ")
        for paragraph in text.split("\n")
        for line in textwrap.wrap(
            re.sub(r" (?=[\d(])", NO_BREAK, paragraph),
            max(width, 1),
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
        or [""]
    ]
