"""Tab completion for bash, zsh and fish, from what ``conf/`` and the command line so far say."""

import sys
from collections.abc import Iterator

from tandem.commands.help import COMMANDS
from tandem.config.catalogue import View, option_names, view
from tandem.config.folders import study_names
from tandem.config.ranges import find_range
from tandem.core.errors import InputError, nearest

WORDS = "words"
"""What the scripts call: ``tandem completion words LINE`` prints what the last word may become."""
FLAGS = ("--help", "--cfg", "--multirun", "--hydra-help")
BASH = """\
_tandem() {
    local line="${COMP_LINE:0:COMP_POINT}" word="${COMP_WORDS[COMP_CWORD]}" before IFS=$'\\n'
    local whole="${line##*[[:space:]]}"
    case "$word" in =|:) word="";; esac
    before="${whole%"$word"}"  # bash completes only what follows the last = or :
    COMPREPLY=($(tandem completion words "$line" 2>/dev/null))
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    case "$whole" in *=[[]*) compopt -o nospace;; esac  # a list may go on
    case "${COMPREPLY[*]}" in *[=.]) compopt -o nospace;; esac
}
complete -o default -F _tandem tandem
"""
ZSH = """\
_tandem() {
    local -a found
    found=("${(@f)$(tandem completion words "${LBUFFER}" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then
        compadd -Q -U -S '' -- ${(M)found:#*([=.]|=[[]*)}
        compadd -Q -U -- ${found:#*([=.]|=[[]*)}
    else
        compset -P '*='
        _files
    fi
}
compdef _tandem tandem
"""
FISH = """\
function __tandem_words
    tandem completion words (commandline -cp) 2>/dev/null
end
complete -c tandem -n '__tandem_words | string length -q' -f -a '(__tandem_words)'
"""
SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""The script of each shell."""


def main(arguments: list[str]) -> None:
    """The command ``tandem completion``.

    :raises InputError: if the shell is not one of those that there is a script for.
    """
    if arguments[:1] == [WORDS] and len(arguments) == 2:
        sys.stdout.writelines(f"{word}\n" for word in complete(arguments[1]))
        return
    name = " ".join(arguments)
    if name not in SHELLS:
        raise InputError(
            f"tandem completion takes one of {', '.join(SHELLS)}, but got {name or 'nothing'}"
            f"{nearest(name, SHELLS)}; see tandem completion --help."
        )
    sys.stdout.write(SHELLS[name])


def complete(line: str) -> list[str]:
    """What the last word of a command line may become.

    :param line: from its beginning to the cursor, ``tandem`` included.
    :return: whole words, among them none that only a file's name can complete.
    """
    words = line.split()[1:]
    last = "" if not line or line[-1].isspace() or not words else words.pop()
    if not words:
        found = [*COMMANDS, "--help", "--version"]
    elif words[0] == "completion":
        found = [*SHELLS]
    elif words[0] in COMMANDS:
        found = list(_of_command(words[0], words[1:], last))
    else:
        found = []
    return [word for word in found if word.startswith(last)]


def _of_command(command: str, words: list[str], last: str) -> Iterator[str]:
    try:
        known = view(command, words)
        for_trainings = view("train", words) if command == "sweep" else None
    except InputError:  # an option before it does not exist
        known, for_trainings = view(command), None
    if last.startswith("-"):
        yield from FLAGS
        return
    if command == "sweep" and not words:
        yield from study_names()
    helped = "--help" in words
    yield from _of_view(known, last, equals="" if helped else "=")
    if for_trainings is not None:
        yield from _of_view(for_trainings, last, equals="=")


def _of_view(known: View, last: str, *, equals: str) -> Iterator[str]:
    """Groups and keys, or behind an equals sign the values of one."""
    plus = last[: len(last) - len(last.lstrip("+~"))]
    name, given, value = last.removeprefix(plus).partition("=")
    if not given:
        for one in known.groups:
            yield f"{plus}{one}{equals}"
        for one in _next_names(known, name):
            yield f"{plus}{one if one.endswith('.') else f'{one}{equals}'}"
        return
    if name in known.groups:
        begun, comma, _ = value.rpartition(",")
        start = f"{begun}{comma}" if comma else "[" if value.startswith("[") else ""
        values: list[str] = option_names(known.groups[name].group)
    else:
        allowed = find_range(name)
        start, values = "", [] if allowed is None else list(allowed.choices)
    for one in values:
        yield f"{plus}{name}={start}{one}"


def _next_names(known: View, begun: str) -> Iterator[str]:
    """Keys up to the next dot behind what is begun, so that a section comes before its keys."""
    seen = set()
    for name, entry in known.entries.items():
        if entry.is_section or not name.startswith(begun):
            continue
        rest, dot, _ = name[len(begun) :].partition(".")
        word = f"{begun}{rest}{dot}"
        if word not in seen:
            seen.add(word)
            yield word
