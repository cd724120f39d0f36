"""What is printed for a person: texts as they are, whatever a user put into them."""

from rich.console import Console
from rich.text import Text

from tandem.core.terminal import visible


def console(*, stderr: bool = False) -> Console:
    """A console that reads neither markup such as ``[red]`` nor emoji such as ``:tada:``.

    Styles are given beside a text: ``console().print(text, style="bold")``, or by ``rich.text``.
    """
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def complain(error: Exception) -> None:
    """Print one sentence, in red on a terminal."""
    say(Text.assemble(("error:", "bold red"), f" {visible(str(error))}"))


def say(text: str | Text) -> None:
    """Print one line beside what a command writes."""
    console(stderr=True).print(text, soft_wrap=True)
