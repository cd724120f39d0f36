"""One line on a terminal that says how far a run is, as wide as there is room."""

import math
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

GAP = "  "
SHORTEST_BAR, LONGEST_BAR = 8, 40
"""In columns."""


class StatusLine:
    """What is done, a bar, how much of it, and as many values as fit; a value keeps its name.

    ::

        Epoch 3/20  ━━━━━━━━━━━━━━━────────────  412/1,234  0:12:34 left  loss 2.345  tokens/s 5,123
    """

    def __init__(self) -> None:
        self.task = ""
        """What is done."""
        self.done = 0
        self.total: float = math.inf
        """Of batches; infinite if nobody knows."""
        self.values: Sequence[str] = ()
        """Each with its name; the first ones are the last to be left out."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One line, and never more."""
        yield self.text(options.max_width, ascii_only=options.ascii_only)

    def text(self, width: int, *, ascii_only: bool) -> Text:
        """The line for a terminal of so many columns."""
        known = math.isfinite(self.total)
        count = f"{self.done:,}/{int(self.total):,}" if known else f"{self.done:,} batches"
        room = width - len(GAP.join((self.task, count)))
        least = SHORTEST_BAR + len(GAP) if known else 0
        shown = []
        for value in self.values:
            if len(GAP) + len(value) + least <= room:
                room -= len(GAP) + len(value)
                shown.append(value)
        parts = [Text(self.task, style="bold")]
        if known and room >= least:
            parts.append(self._bar(min(room - len(GAP), LONGEST_BAR), ascii_only=ascii_only))
        parts += [Text(count), *map(Text, shown)]
        line = Text(GAP, no_wrap=True, overflow="crop", end="").join(parts)
        line.truncate(width)
        return line

    def _bar(self, width: int, *, ascii_only: bool) -> Text:
        full = round(width * min(self.done / max(self.total, 1), 1))
        done, left = ("#", "-") if ascii_only else ("━", "─")
        return Text.assemble((done * full, "green"), (left * (width - full), "dim"))
