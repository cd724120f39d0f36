"""Turns a command line into a composed config and a call."""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from tandem.config.folders import config_folder, own_config_folder
from tandem.config.instantiate import check_values
from tandem.config.mistakes import check_groups, config_mistake
from tandem.config.overrides import (
    config_flags,
    flags_with_home,
    task_overrides,
    texts_as_written,
    whole_mappings,
)
from tandem.config.remedies import for_command
from tandem.core import streams
from tandem.core.command_line import key_of, override, shell_line
from tandem.core.errors import InputError, no_room, reason_of
from tandem.core.files import write_text
from tandem.core.printing import complain, say
from tandem.core.stopping import Stopped

FULL_ERROR = "HYDRA_FULL_ERROR"
"""With this variable set to 1, mistakes in a command line keep their tracebacks."""


def write_output(path: Path, text: str) -> None:
    """Write what a command was asked for, whole or not at all.

    :raises InputError: if the file cannot be written.
    """
    try:
        write_text(path, text)
    except OSError as error:
        raise InputError(
            f"The file {path} cannot be written ({reason_of(error)}); choose another output=..."
        ) from error


def compose(config_name: str, overrides: list[str]) -> DictConfig:
    """Compose a config as its command would, without running anything.

    :param config_name: a YAML file at the root of ``conf/``.
    :param overrides: as on the command line.
    :raises InputError: if they do not fit together.
    """
    cfg = compose_with_hydra(config_name, overrides)
    HydraConfig.instance().set_config(cfg)
    return without_hydra(cfg)


def compose_with_hydra(config_name: str, overrides: list[str]) -> DictConfig:
    """:func:`compose`, with the keys below ``hydra`` that interpolations refer to."""
    arguments = with_own_configs(_for_hydra(overrides))
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(config_folder()), version_base="1.3"):
            return hydra.compose(config_name, arguments, return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise config_mistake(error, config_name, arguments) from error
    except (TypeError, ValueError):
        check_groups(config_name, arguments)
        raise


def without_hydra(cfg: DictConfig) -> DictConfig:
    """Remove Hydra's own keys from a config, which is changed."""
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg


def _for_hydra(arguments: list[str]) -> list[str]:
    """What is typed, as Hydra reads it for what is meant."""
    return flags_with_home(whole_mappings(texts_as_written(arguments)))


def with_own_configs(arguments: list[str]) -> list[str]:
    """Let a ``conf/`` folder where the user stands extend ours."""
    own = own_config_folder()
    if own is not None:
        return [*arguments, override("hydra.searchpath", [f"file://{own}"])]
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
                written: Any = OmegaConf.to_container(cfg.run, resolve=False)
                cfg.run.name = f"{written['name']}-{job.job.num}"
        words = arguments
        if job.mode == RunMode.MULTIRUN:
            words = [*config_flags(arguments), *task_overrides()]
        try:
            check_values(cfg)  # before what takes seconds to import
            return call(cfg, command_line(config_name, words))
        except Stopped as stopped:
            again = overrides_to_resume(Path(cfg.run.folder), words)
            say(stopped.how_to_go_on(command_line(config_name, again) if again else ""))
            raise
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)
        except BrokenPipeError:  # who reads the output has enough, as head does
            streams.drop_output()
            sys.exit(128 + signal.SIGPIPE)
        except InputError as error:
            mistake = for_command(error, config_name)
            if job.mode == RunMode.MULTIRUN:
                raise mistake from error  # the other jobs are still run
            complain(mistake)
            sys.exit(mistake.exit_code)

    GlobalHydra.instance().clear()  # as this may be a fork of a process that runs Hydra itself
    sys.argv = [f"tandem {config_name}", *with_own_configs(_for_hydra(arguments))]
    main = hydra.main(
        version_base="1.3", config_path=str(config_folder()), config_name=config_name
    )(adapted)
    traced = os.environ.get(FULL_ERROR) == "1"
    try:
        with _raising():
            return main()
    except InputError as error:
        mistake = error
    except (HydraException, OmegaConfBaseException) as error:
        if traced:
            raise
        mistake = config_mistake(error, config_name, arguments)
    except (TypeError, ValueError) as error:
        mistake = _group_mistake(error, config_name, arguments)
    except OSError as error:
        full = no_room(error)
        if full is None:
            raise
        mistake = full
    complain(mistake)
    sys.exit(mistake.exit_code)


def _group_mistake(error: Exception, config_name: str, arguments: list[str]) -> InputError:
    """The mistake on which Hydra fails with an error of its own; another error is raised again."""
    try:
        check_groups(config_name, arguments)
    except InputError as mistake:
        return mistake
    raise error


def overrides_to_resume(folder: Path, words: Iterable[str]) -> list[str]:
    """The overrides with which a run that was stopped goes on; none before its first checkpoint.

    :param folder: of the run.
    :param words: that it was started with.
    """
    if not (folder / "checkpoints" / "last.ckpt").is_file():
        return []
    others = [word for word in words if key_of(word) not in ("run.folder", "resume")]
    return [*others, override("run.folder", str(folder)), "resume=true"]


@contextmanager
def _raising() -> Iterator[None]:
    """Let Hydra raise what goes wrong, which it would print in its own way."""
    before = os.environ.get(FULL_ERROR)
    os.environ[FULL_ERROR] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[FULL_ERROR]
        else:
            os.environ[FULL_ERROR] = before


def command_line(config_name: str, words: list[str]) -> str:
    """The command that repeats a run, as a shell takes it."""
    return shell_line(["tandem", config_name, *words])
