"""Turns a command line into a composed config and a call."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import rich
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict
from rich.markup import escape

from tandem.core.errors import InputError

BAD_INPUT = 2
"""Exit code for a mistake of the user's."""


def config_folder() -> Path:
    """Where the configs are: inside the installed package, or beside ``src/`` in a checkout."""
    inside = Path(__file__).parent / "conf"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "conf"


def with_own_configs(arguments: list[str]) -> list[str]:
    """Let a ``conf/`` folder where the user stands extend ours."""
    own = Path.cwd() / "conf"
    if own.is_dir() and own.resolve() != config_folder().resolve():
        return [*arguments, f"hydra.searchpath=[file://{own}]"]
    return arguments


def run(config_name: str, arguments: list[str], call: Callable[[DictConfig, str], Any]) -> Any:
    """Compose a config from overrides and hand it over, under Hydra's run or multirun.

    :param config_name: a YAML file at the root of ``conf/``.
    :param arguments: overrides and Hydra's own flags.
    :param call: gets the config and the command line that repeats the run; what it returns goes
        to Hydra's sweeper.
    """

    def adapted(cfg: DictConfig) -> Any:
        job = HydraConfig.get()
        if job.mode == RunMode.MULTIRUN and config_name == "train":
            with open_dict(cfg):  # jobs that start in one second need names of their own
                cfg.run.name = f"{cfg.run.name}-{job.job.num}"
        overrides = [item for item in job.overrides.task if item]
        try:
            return call(cfg, command_line(config_name, overrides))
        except InputError as error:
            if job.mode == RunMode.MULTIRUN:
                raise
            complain(error)
            sys.exit(BAD_INPUT)

    sys.argv = [f"tandem {config_name}", *with_own_configs(arguments)]
    main = hydra.main(
        version_base="1.3", config_path=str(config_folder()), config_name=config_name
    )(adapted)
    return main()


def command_line(config_name: str, overrides: list[str]) -> str:
    """The command that repeats a run."""
    return shlex.join(["tandem", config_name, *overrides])


def complain(error: InputError) -> None:
    """Print one sentence, in red on a terminal."""
    rich.print(f"[bold red]error:[/] {escape(str(error))}", file=sys.stderr)
