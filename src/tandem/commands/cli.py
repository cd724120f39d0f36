"""The console script ``tandem``: finds the command and, for --help, lists every option."""

import sys
from importlib import import_module

import rich
from rich.markup import escape
from rich.table import Table

from tandem import __version__
from tandem.config.catalogue import config_groups
from tandem.config.launch import BAD_INPUT

COMMANDS = {
    "train": "train, score, log, and save a bundle",
    "sweep": "run the trainings of a study, several at a time",
    "evaluate": "score a trained model on a split",
    "generate": "write outputs for a file or for what you type",
    "score": "say how probable given outputs are",
    "report": "compare runs in one HTML page",
}
EXAMPLES = """\
tandem train dataset=scan encoder=lstm decoder=gru attention=additive
tandem train dataset=scan encoder=cnn decoder=transformer attention=multi_head hidden_size=64
tandem train --multirun attention=none,dot,additive seed=0,1,2
tandem train run.folder=outputs/mine resume=true
tandem sweep sweeps/attention_scan.yaml workers=2
tandem evaluate run=outputs/mine split=test search=beam search.width=10
tandem generate run=outputs/mine input=- output=-
tandem score run=outputs/mine source=sources.txt target=targets.txt alignment=true
tandem report outputs/ output=report.html --open"""


def main() -> None:
    """Call the command that the first argument names."""
    name, arguments = (sys.argv[1] if len(sys.argv) > 1 else "--help"), sys.argv[2:]
    if name in ("--help", "-h", "help"):
        print_help()
    elif name == "--version":
        print(f"tandem {__version__}")
    elif name in COMMANDS:
        call(name, arguments)
    else:
        rich.print(
            f"[bold red]error:[/] There is no command {escape(repr(name))}; choose one of "
            f"{', '.join(COMMANDS)}, or see tandem --help.",
            file=sys.stderr,
        )
        sys.exit(BAD_INPUT)


def call(name: str, arguments: list[str]) -> None:
    """Call one command; the others stay unread."""
    import_module(f"tandem.commands.{name}").main(arguments)


def print_help() -> None:
    """Commands, and every config group with its options."""
    rich.print("[bold]tandem COMMAND \\[KEY=VALUE ...][/]\n")
    commands = Table(box=None, show_header=False, padding=(0, 2))
    for command, what in COMMANDS.items():
        commands.add_row(command, what)
    rich.print(commands)
    rich.print("\n[bold]Groups of tandem train[/] (choose one: GROUP=OPTION)\n")
    groups = Table(box=None, show_header=False, padding=(0, 2))
    for group, options in config_groups().items():
        groups.add_row(group, " ".join(options))
    rich.print(groups)
    rich.print(
        "\nmetric, logger, noise, scorer and rule take lists: metric=\\[bleu,chrf]. Any key of an "
        "option can be set: encoder.num_layers=2.\n"
        "All keys with their values: tandem train --cfg job \\[KEY=VALUE ...]\n\n"
        "[bold]Examples[/]\n"
    )
    rich.print(escape(EXAMPLES))
