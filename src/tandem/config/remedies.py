"""Remedies for whoever asks: a command does not name keys that another command has.

What reads data does not know for which command it reads. Its errors name the keys of a training,
as there the most can be done.
"""

import re
from functools import cache

from tandem.config.catalogue import view
from tandem.config.ranges import find_range
from tandem.core.errors import InputError

COMMANDS = ("train", "evaluate", "generate", "score", "export", "serve", "report", "sweep")
"""Those that have keys."""
KEY = re.compile(r"(?<![\w.@`/-])([a-z_]\w*(?:(?:\.\w+)+|(?==[^\s=])))")
"""A key with dots in it, or a key or a group before an equals sign."""
ALTERNATIVE = re.compile(r"(,? or (?!to |in |of |with |for |as |\.)|, and else )")
ELSEWHERE = {"evaluate": {"dataset.data_dir": "data_dir"}}
"""Keys that a command has under another name."""
OF_DATA = {
    "evaluate": (
        "the dataset's options are those of the training, so put back the files that it had, or "
        "name the folder that has them with data_dir=FOLDER"
    ),
    "generate": "correct the input or leave it out",
    "score": "correct the input or leave it out",
    "serve": "send another source",
}
OF_A_MODEL = "choose another run, or train one that fits"
"""What can be done where every remedy needs keys of a training: of its data, and others."""


def for_command(error: InputError, command: str) -> InputError:
    """The same error with the remedies that a command has.

    An error's remedies stand behind its semicolons, as alternatives with "or" between them. Those
    that say how to train stay.

    :param command: one with a file in ``conf/``.
    """
    message = str(error)
    for key, name in ELSEWHERE.get(command, {}).items():
        message = re.sub(rf"(?<![\w.]){re.escape(key)}(?![\w.]*\w)", name, message)
    fault, *remedies = message.removesuffix(".").split("; ")
    possible = [one for one in (_possible(remedy, command) for remedy in remedies) if one]
    if remedies and not possible:
        of_data = any(key.startswith("data") for key in foreign_keys(message, command))
        possible = [OF_DATA.get(command, OF_A_MODEL) if of_data else OF_A_MODEL]
    fitting = "; ".join([fault, *possible]) + ("." if message.endswith(".") else "")
    if fitting == str(error):
        return error
    other = type(error)(fitting)
    other.__cause__ = error.__cause__
    return other


def _possible(remedy: str, command: str) -> str:
    """What is left of a remedy without the alternatives that need keys of another command."""
    first, *others = ALTERNATIVE.split(remedy)
    alternatives = [("", first), *zip(others[::2], others[1::2], strict=True)]
    possible = [one for one in alternatives if not foreign_keys(one[1], command)]
    if len(possible) == len(alternatives):
        return remedy
    text = "".join("".join(one) for one in possible)[len(possible[0][0]) if possible else 0 :]
    listed = re.fullmatch(r"([^,]+), ([\w ]{1,30})", text)  # "add it, remove the file"
    return f"{listed[1]} or {listed[2]}" if listed and len(possible) == 1 else text


def foreign_keys(text: str, command: str) -> list[str]:
    """The keys and groups in a text that other commands have and this one has not."""
    if re.search(r"(?<![\w.])train(ed)?\b", text):
        return []
    known = _first_names(command)
    others = set().union(*map(_first_names, COMMANDS)) - known
    return [
        key
        for key in KEY.findall(text)
        if key.partition(".")[0] in others and ("." not in key or find_range(key) is not None)
    ]


@cache
def _first_names(command: str) -> set[str]:
    """The groups and the first names of the keys that a command has."""
    known = view(command)
    packages = {default.package for default in known.groups.values()}
    names = {name.partition(".")[0] for name in (*known.entries, *packages)}
    return names | _first_names("train") if command == "sweep" else names
