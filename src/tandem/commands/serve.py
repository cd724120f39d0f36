"""Answers over HTTP: outputs and scores, and pages to try models and to look inside."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra.utils import get_class
from omegaconf import DictConfig

from tandem.commands import console
from tandem.config.bundles import place, runs, with_scorers
from tandem.config.catalogue import Entry, option_names, read_option
from tandem.config.instantiate import check_values
from tandem.config.ranges import find_range
from tandem.config.remedies import for_command
from tandem.core.errors import InputError
from tandem.core.extras import check_extra
from tandem.inference import load_bundle
from tandem.inference.reading import run_folder

if TYPE_CHECKING:
    from tandem.serving.searches import SearchKind
    from tandem.serving.served_model import ServedModel

logger = logging.getLogger(__name__)

NEEDED = "???"
"""How a config writes a value that must be given."""
KINDS: dict[type, str] = {int: "int", float: "float", str: "text"}
"""What options are called by the types of their defaults; all others are lists."""
NAMED_PARTS = ("encoder", "decoder", "attention")


def serve(cfg: DictConfig, command: str = "") -> None:
    """Answer requests until Ctrl-C or SIGTERM.

    :param cfg: a composed ``serve`` config.
    :param command: unused; every command gets the line that repeats it.
    :raises InputError: if a bundle is unusable, or the port is not to be had.
    """
    console.set_up(None)
    check_values(cfg)
    for package in ("fastapi", "uvicorn"):
        check_extra("serve", package, used_by="tandem serve", otherwise="use tandem generate")
    from tandem.serving import server
    from tandem.serving.app import Service, make_app

    folders = served_folders(runs(cfg))
    listening = server.listen(cfg.host, cfg.port)  # which may fail, and takes less time than models
    with listening:
        service = Service(models(folders, cfg), limits(cfg), _sentence)
        logger.info(
            "%s answers at %s; Ctrl-C ends it.", ", ".join(folders), server.url_of(listening)
        )
        server.serve(make_app(service, hosts=[cfg.host, "localhost", *cfg.hosts]), listening)
    logger.info("The server has stopped.")


def served_folders(given: list[str]) -> dict[str, Path]:
    """The runs and bundles in folders or right below them, by the names that requests know.

    :raises InputError: if a folder has none.
    """
    found = [folder for path in given for folder in _folders(Path(path))]
    named: dict[str, Path] = {}
    for folder in dict.fromkeys(found):
        name = base = folder.resolve().name
        number = 1
        while name in named:
            number += 1
            name = f"{base}-{number}"
        named[name] = folder
    return named


def _folders(path: Path) -> Iterator[Path]:
    try:
        yield run_folder(path)
    except InputError:
        below = list(_below(path))
        if not below:
            raise
        yield from below


def _below(path: Path) -> Iterator[Path]:
    for one in sorted(path.glob("*")):
        with suppress(InputError):
            yield run_folder(one)


def limits(cfg: DictConfig) -> Any:
    """What the config says of how much the server does."""
    from tandem.serving.limits import Limits

    return Limits(**{name: cfg[name] for name in Limits.__dataclass_fields__})


def models(folders: Mapping[str, Path], cfg: DictConfig) -> dict[str, "ServedModel"]:
    """The models of folders, ready to answer.

    They are made on a thread that ends. OpenMP gives each thread that computes a team of its own;
    a team that stays on the main thread, though idle, would make that of the batches' thread sleep
    after each operation, and halve its speed.
    """
    from tandem.serving.served_model import ServedModel

    kinds = search_kinds()

    def load(name: str, folder: Path) -> ServedModel:
        bundle = with_scorers(load_bundle(folder, trusted=cfg.trusted), cfg)
        place(bundle, cfg.accelerator)
        return ServedModel.of(name, bundle, folder, kinds, part_names())

    with ThreadPoolExecutor(1) as loader:
        return dict(zip(folders, loader.map(load, folders, folders.values()), strict=True))


def search_kinds() -> dict[str, "SearchKind"]:
    """The searches of ``conf/search`` by their names, each with the ranges of its options."""
    from tandem.serving.searches import SearchKind

    kinds = {}
    for name in option_names("search"):
        file = read_option("search", name)
        if file.target is not None:
            options = {key: _option(key, entry) for key, entry in file.entries.items()}
            kinds[name] = SearchKind(name, file.target, get_class(file.target), options)
    return kinds


def _option(name: str, entry: Entry) -> Any:
    from tandem.serving.searches import Option

    default = None if entry.value == NEEDED else yaml.safe_load(entry.value)
    values = find_range(f"search.{name}")
    assert values is not None, f"search.{name} has no range"
    return Option(default, KINDS.get(type(default), "list"), entry.comment, values)


def part_names() -> dict[str, str]:
    """What ``conf/`` calls the parts of a model, by the full names of their classes."""
    named = {}
    for group in NAMED_PARTS:
        for name in option_names(group):
            target = read_option(group, name).target
            if target is not None:
                named[target] = name
    return named


def _sentence(error: InputError) -> str:
    """The message of an error with remedies that whoever sends a request has."""
    return str(for_command(error, "serve"))
