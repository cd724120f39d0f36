"""The console script ``tandem``: answers help, completion and mistakes before work is imported."""

import os
import signal
import sys
from functools import partial
from importlib import import_module
from typing import Any

from rich.text import Text

from tandem import __version__
from tandem.commands.help import COMMANDS, print_command_help, print_help
from tandem.config.folders import find_study
from tandem.core import streams
from tandem.core.allocator import keep_freed_memory
from tandem.core.command_line import shell_line
from tandem.core.errors import InputError, nearest, no_room
from tandem.core.printing import complain, say
from tandem.core.terminal import visible

HELP = ("--help", "-h")
READING = ("evaluate", "generate", "score", "export", "serve")
"""Commands that read a model, of which a person on a terminal is told."""


def main() -> None:
    """Call the command that the first argument names."""
    streams.set_up()
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # read when it is imported
    name, *arguments = sys.argv[1:] or ["--help"]
    try:
        if name in (*HELP, "help"):
            print_help()
        elif name == "--version":
            print(f"tandem {__version__}")
        elif name not in COMMANDS:
            raise InputError(
                f"There is no command {name!r}{nearest(name, COMMANDS)}; choose one of "
                f"{', '.join(COMMANDS)}, or see tandem --help."
            )
        elif any(flag in arguments for flag in HELP):
            print_command_help(name, [word for word in arguments if word not in HELP])
        else:
            call(name, arguments)
        sys.stdout.flush()
    except InputError as error:
        complain(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # who reads the output has enough, as head does
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        full = no_room(error)
        if full is None:
            raise
        complain(full)
        sys.exit(full.exit_code)
    finally:
        streams.flush()


def call(name: str, arguments: list[str]) -> None:
    """Compose and check the config of a command, and then import and call it."""
    if name == "completion":
        import_module("tandem.commands.completion").main(arguments)
        return
    from tandem.commands import arguments as reading
    from tandem.config import launch

    reading.check_keys(name, arguments)
    if name == "sweep":
        own, for_trainings = reading.split_arguments(arguments)
        reading.check_for_trainings(for_trainings)
        command = shell_line(["tandem", "sweep", *arguments])
        launch.run(name, own, lambda cfg, _: _sweep(cfg, for_trainings, command))
    else:
        overrides = arguments
        if name in reading.FOLDERS:
            overrides = reading.as_overrides(arguments, name)
        launch.run(name, overrides, partial(_work, name))


def _sweep(cfg: Any, overrides: list[str], command: str) -> Any:
    find_study(str(cfg.file))  # before what takes seconds to import
    return import_module("tandem.commands.sweep").sweep(cfg, overrides, command)


def _work(name: str, cfg: Any, command: str) -> Any:
    """The command's own function, which has its name."""
    if name in READING and sys.stderr.isatty():  # before what takes seconds to import
        say(Text(f"Loading {visible(str(cfg.run))} ...", style="dim"))
    keep_freed_memory()
    return getattr(import_module(f"tandem.commands.{name}"), name)(cfg, command)
