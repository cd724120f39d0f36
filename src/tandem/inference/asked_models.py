"""Models that scorers ask beside those that write: read from their folders, kept in bundles."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError
from tandem.core.files import give_usual_rights
from tandem.inference.decoding import Decoding
from tandem.inference.files import CONFIG
from tandem.inference.networks import check_language_model, network
from tandem.inference.reading import BundleReader
from tandem.inference.trust import resolve
from tandem.search.scorers import Scorer

FOLDER = "scorers"
"""Of a bundle: has a folder for each scorer with the bundle of the model that it asks."""


def with_asked_models(decoding: Decoding, *, trusted: Iterable[str] = ()) -> Decoding:
    """The same decoding, whose scorers have the models that they name by their folders.

    :raises InputError: if a folder has none, or one that reads sources.
    """
    packages = tuple(trusted)
    scorers = (
        _with_model(one, BundleReader.open(str(one.path), trusted=packages))
        if one.asks_model
        else one
        for one in decoding.scorers
    )
    return replace(decoding, scorers=tuple(scorers))


def with_kept_models(decoding: Decoding, reader: BundleReader) -> Decoding:
    """The decoding of a bundle, whose scorers have the models that it holds."""
    names = reader.config["scorer"]
    scorers = (
        _with_model(one, _inside(reader, name)) if one.asks_model else one
        for name, one in zip(names, decoding.scorers, strict=True)
    )
    return replace(decoding, scorers=tuple(scorers))


def keep_asked_models(folder: Path, scorers: Mapping[str, Any]) -> dict[str, Any]:
    """Copy the models that scorers ask into a bundle's folder.

    :param scorers: their configs by name, plain data.
    :return: the same without the paths.
    """
    kept = {}
    for name, spec in scorers.items():
        kept[name] = spec
        if _asks_model(spec):
            copy_bundle(BundleReader.open(spec["path"], trusted=()), folder / FOLDER / name)
            kept[name] = {**spec, "path": None}
    return kept


def copy_bundle(reader: BundleReader, folder: Path) -> None:
    """Copy a bundle's files, those of its scorers' models aside."""
    names = [name for name in reader.files.digests or {} if not name.startswith(f"{FOLDER}/")]
    for name, path in [
        (CONFIG, reader.folder / CONFIG),
        *((n, reader.files.path(n)) for n in names),
    ]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
        give_usual_rights(folder / name)


def _asks_model(spec: Mapping[str, Any]) -> bool:
    name = str(spec["_target_"])
    part = resolve(name, "scorer", (name.rpartition(".")[0],))
    return isinstance(part, type) and issubclass(part, Scorer) and part.asks_model


def _inside(reader: BundleReader, name: str) -> BundleReader:
    """What the bundle holds for a scorer, if that is as it was written."""
    config = reader.files.path(f"{FOLDER}/{name}/{CONFIG}")
    return BundleReader.open(config.parent, trusted=reader.trusted)


def _with_model(scorer: Scorer, reader: BundleReader) -> Scorer:
    if "export" in reader.config:
        raise InputError(
            f"{reader.folder} is an export, but a scorer asks a model that torch computes; name "
            "the run that was exported."
        )
    processors = reader.processors()
    check_language_model(processors, reader.folder, why="a scorer asks")
    return scorer.with_model(network(reader, processors), processors.target.symbols)
