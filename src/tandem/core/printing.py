"""What is printed for a person: texts as they are, whatever a user put into them."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

from rich.console import Console
from rich.text import Text

from tandem.core.terminal import visible

T = TypeVar("T")


def console(*, stderr: bool = False) -> Console:
    """A console that reads neither markup such as ``[red]`` nor emoji such as ``:tada:``.

    Styles are given beside a text: ``console().print(text, style="bold")``, or by ``rich.text``.
    A notebook gets text, of which rich would make an output a line.
    """
    return _Console(stderr=stderr, force_jupyter=False, markup=False, emoji=False, highlight=False)


class _Console(Console):
    """Ends nothing by itself."""

    def on_broken_pipe(self) -> None:
        """Let whoever prints decide what it means that nobody reads."""
        raise BrokenPipeError


def complain(error: Exception) -> None:
    """Print one sentence, in red on a terminal."""
    say(Text.assemble(("error:", "bold red"), f" {visible(str(error))}"))


def say(text: str | Text) -> None:
    """Print one line beside what a command writes."""
    with suppress(OSError):  # who does not listen is not told, and the work goes on
        console(stderr=True).print(text, soft_wrap=True)


def progress(items: Iterable[T], what: str, total: float | None = None) -> Iterable[T]:
    """Yield items under a bar that vanishes at the end; a pipe or a file gets none."""
    import rich
    from rich.progress import track  # takes a while, which using a model should not

    hidden = not rich.get_console().is_terminal
    return track(items, what, total=total, transient=True, disable=hidden)
