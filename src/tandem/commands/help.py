"""What ``--help`` prints: commands, groups, options and keys with what ``conf/`` says of them."""

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tandem.config.catalogue import Default, Entry, View, option_names, read_option, view
from tandem.config.folders import study_names, study_summary
from tandem.config.mistakes import of_another_option
from tandem.config.ranges import find_range
from tandem.core.errors import InputError, nearest
from tandem.core.printing import console

COMMANDS = {
    "train": "train a model, score it on the test split, and save it",
    "sweep": "hyperparameter sweep: run the trainings of a study in parallel",
    "evaluate": "score a trained model, or an ensemble, on a split of its dataset",
    "generate": "generate outputs for a file or for what you type",
    "score": "compute log-probabilities of given targets",
    "export": "export a model to ONNX, torch.export, CTranslate2 or a web page",
    "serve": "serve models over HTTP, with pages to try a model and to look inside",
    "report": "compare runs in one HTML page",
    "completion": "print the tab completion script for bash, zsh or fish",
}
USAGE = {
    "train": "[GROUP=OPTION ...] [KEY=VALUE ...]",
    "sweep": "STUDY [KEY=VALUE ...] [keys of every training ...]",
    "evaluate": "run=FOLDER [KEY=VALUE ...]",
    "generate": "run=FOLDER [input=FILE] [output=FILE] [KEY=VALUE ...]",
    "score": "run=FOLDER [source=FILE] target=FILE [KEY=VALUE ...]",
    "export": "run=FOLDER [format=onnx] [weights=int8] [output=FOLDER]",
    "serve": "FOLDER ... [KEY=VALUE ...]",
    "report": "FOLDER ... [KEY=VALUE ...] [--open] [--watch]",
    "completion": "bash | zsh | fish",
}
EXAMPLES = """\
tandem train dataset=scan encoder=lstm decoder=gru attention=additive
tandem train dataset=scan encoder=cnn decoder=transformer attention=multi_head hidden_size=64
tandem train --multirun attention=none,dot,additive seed=0,1,2
tandem train run.folder=outputs/mine resume=true
tandem sweep attention_scan workers=2
tandem evaluate run=outputs/mine split=test search=beam search.width=10
tandem generate run=outputs/mine input=- output=-
tandem score run=outputs/mine source=sources.txt target=targets.txt alignment=true
tandem export run=outputs/mine format=onnx
tandem serve outputs/mine port=8080
tandem report outputs/ output=report.html --open"""
MORE = {
    "--help GROUP": "the options of a group",
    "--help GROUP=OPTION": "the keys of an option",
    "--help KEY": "what a key means and which values it may have",
    "--cfg job [...]": "the whole config with your overrides, without running it",
    "--multirun [...]": "one run for each combination of KEY=A,B",
    "--hydra-help": "flags of Hydra, which parses the command line",
}

VALUE_WIDTH = 24
"""Columns for the value of a key."""


def print_help() -> None:
    """All commands."""
    _print("tandem COMMAND [KEY=VALUE ...]", heading=True)
    _print(_pairs((name, what) for name, what in COMMANDS.items()))
    _print("More", heading=True)
    _print(_pairs([("tandem COMMAND --help", "its groups and keys"), ("tandem --version", "")]))
    _print("Examples", heading=True)
    console().print(EXAMPLES, soft_wrap=True)


def print_command_help(command: str, words: Sequence[str]) -> None:
    """What a command takes, or what single groups, options and keys are.

    :param command: one of ``COMMANDS``.
    :param words: ``GROUP``, ``GROUP=OPTION`` or ``KEY``; none for all. A group is listed as the
        options among them choose.
    :raises InputError: if there is no such group, option or key.
    """
    if command == "completion":
        _print(f"tandem completion {USAGE[command]}", heading=True)
        _print("Prints a script. For bash, add this line to ~/.bashrc:")
        _print('    eval "$(tandem completion bash)"')
        return
    if not words:
        _print_all(view(command))
    for word in words:
        name, equals, _ = word.lstrip("+").partition("=")
        known = view(command, [one for one in words if "=" in one and one != word] + [word])
        if equals and name in known.groups:
            for option in known.groups[name].options:
                _print_option(known, known.groups[name], option)
        elif name in known.groups:
            _print_group(known.groups[name])
        elif keys := known.under(name):
            _print_keys(keys, in_full=True)
        elif remedy := of_another_option(name, known):
            raise InputError(f"The key {name} belongs to {remedy}")
        else:
            names = [*known.groups, *known.entries]
            raise InputError(
                f"{name} is neither a group nor a key of tandem {command}{nearest(name, names)}; "
                f"tandem {command} --help lists them."
            )


def _print_all(known: View) -> None:
    command = known.command
    _print(f"tandem {command} {USAGE[command]}", heading=True)
    _print(COMMANDS[command][0].upper() + COMMANDS[command][1:] + ".")
    if known.groups:
        _print("Groups: GROUP=OPTION, or GROUP=[OPTION,OPTION] where it is a list", heading=True)
        _print("Defaults are in [brackets].")
        table = Table.grid(padding=(0, 2))
        for default in known.groups.values():
            options = Text(" ").join(_option(name, default) for name in option_names(default.group))
            table.add_row(Text(default.name), Text(default.comment, style="dim"))
            table.add_row("", options)
        _print(table)
    _print("Keys: KEY=VALUE", heading=True)
    _print_keys(known.of_command())
    if command == "sweep":
        _print("Studies that come with Tandem", heading=True)
        _print(_pairs((name, study_summary(name)) for name in study_names()))
    _print("More", heading=True)
    _print(_pairs((f"tandem {command} {flag}", what) for flag, what in MORE.items()))


def _option(name: str, default: Default) -> Text:
    return Text(f"[{name}]", style="bold") if name in default.options else Text(name)


def _print_group(default: Default) -> None:
    """The options of a group with the first line of what each is."""
    _print(f"{default.name}: {default.comment}", heading=True)
    rows = (
        (_option(name, default), read_option(default.group, name).title)
        for name in option_names(default.group)
    )
    _print(_pairs(rows))


def _print_option(known: View, default: Default, option: str) -> None:
    """What an option is, what it chooses, and its keys with their meaning."""
    file = read_option(default.group, option)
    _print(f"{default.name}={option}", heading=True)
    _print("\n".join(file.summary))
    if file.overrides:
        chosen = " ".join(
            f"{one.name}={_listed(one.options, is_list=one.is_list)}" for one in file.overrides
        )
        _print(f"It chooses {chosen}.")
    _print_keys(known.of_option(default, option))


def _listed(options: Sequence[str], *, is_list: bool) -> str:
    return f"[{','.join(options)}]" if is_list else "".join(options) or "null"


def _print_keys(keys: Sequence[Entry], *, in_full: bool = False) -> None:
    """Keys with their values and meanings.

    :param in_full: whether to add what values a key may have, and not to cut long ones.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", max_width=VALUE_WIDTH)
    table.add_column()
    for one in keys:
        if one.is_section and not one.comment:
            continue
        table.add_row(
            Text(one.name),
            Text(_value(one, in_full=in_full), style="bold"),
            Text(one.comment, style="dim"),
        )
        allowed = find_range(one.name)
        if in_full and allowed is not None:
            table.add_row("", "", Text(f"It must be {allowed.rule}.", style="dim"))
    _print(table)


def _value(entry: Entry, *, in_full: bool) -> str:
    if entry.is_section:
        return ""
    if entry.value == "???":
        return "(needed)"
    cut = not in_full and len(entry.value) > VALUE_WIDTH
    return f"{entry.value[: VALUE_WIDTH - 1]}…" if cut else entry.value


def _pairs(rows: Iterable[tuple[str | Text, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for name, what in rows:
        table.add_row(name, Text(what, style="dim"))
    return table


def _print(content: RenderableType, *, heading: bool = False) -> None:
    if heading:
        console().print()
    console().print(content, style="bold" if heading else None)
