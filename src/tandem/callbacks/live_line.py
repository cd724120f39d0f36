"""What draws a line that changes: on a terminal, and in a notebook."""

from typing import Any, Protocol

import rich
from rich.live import Live

from tandem.callbacks.status_line import StatusLine

WIDTH = 110
"""Columns of a notebook."""


class LiveLine(Protocol):
    """Draws a line anew in its place, until it is taken away."""

    def start(self) -> None:
        """Draw it for the first time."""

    def refresh(self) -> None:
        """Draw it as it is now."""

    def stop(self) -> None:
        """Take it away."""


def terminal_line(line: StatusLine) -> LiveLine:
    """Draw on a terminal, below what is printed meanwhile."""
    return Live(line, console=rich.get_console(), auto_refresh=False, transient=True)


class NotebookLine:
    """Draws in a notebook, above what is printed meanwhile; rich needs ipywidgets for that."""

    def __init__(self, line: StatusLine) -> None:
        self.line = line
        self._output: Any = None

    def start(self) -> None:
        """Make an output that can be changed."""
        from IPython.display import display

        self._output = display(self._drawn(), raw=True, display_id=True)

    def refresh(self) -> None:
        """Change it."""
        self._output.update(self._drawn(), raw=True)

    def stop(self) -> None:
        """Leave it empty."""
        self._output.update({"text/plain": ""}, raw=True)

    def _drawn(self) -> dict[str, str]:
        return {"text/plain": self.line.text(WIDTH, ascii_only=False).plain}
