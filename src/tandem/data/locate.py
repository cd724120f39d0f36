"""Finds the files of a split by its name, which may be a path, a pattern or what shards share."""

import re
from collections.abc import Iterable, Iterator, Sequence
from glob import glob
from pathlib import Path

from tandem.core.errors import InputError
from tandem.data.compressed import ENDINGS, find_file
from tandem.data.splitting import listed

NUMBER = r"[._-](?:part[._-]?)?(\d+)(?:-of-\d+)?"
"""What the names of shards have at their end, or before their ending."""


DOCUMENTS = re.compile(
    r"_?(about|readme|licen[cs]e|copying|changes|changelog|citation|notice)\b", re.IGNORECASE
)
"""What names of files begin with that tell of a set."""


def find_files(folder: Path, name: str, ending: str = "") -> dict[str | int, Path]:
    """Return the files of a name by what tells them apart; several are shards.

    The name is that of a file (which may be compressed), or a pattern such as ``train-*``, or what
    numbered files share: ``train.en`` is ``train.en.000``, ``train.en.001`` or ``train-00000.en``.

    :param name: in the folder; a path, also an absolute one, is possible.
    :param ending: stands behind the name, before the ending of a compression.
    :raises InputError: if numbered files lack one.
    """
    path = folder / Path(name).expanduser()
    whole = find_file(path.with_name(f"{path.name}{ending}"))
    if whole is not None:
        return {"": whole}
    if any(mark in name for mark in "*?["):
        return {
            str(file)[: str(file).rindex(ending)] if ending else _plain(file.name): file
            for file in _matches(folder, f"{Path(name).expanduser()}{ending}")
        }
    return _numbered(path, ending)


def split_files(folder: Path, split: str, name: str, ending: str = "") -> dict[str | int, Path]:
    """Return what :func:`find_files` does.

    :raises InputError: if there is nothing; it says what is there instead.
    """
    files = find_files(folder, name, ending)
    if files:
        return files
    path = folder / Path(name).expanduser()
    path = path.with_name(f"{path.name}{ending}")
    if any(mark in name for mark in "*?["):
        what = f"No file in {folder} fits the pattern {name}{ending} of the {split} split"
    else:
        what = f"The file {path} of the {split} split does not exist"
    share = "" if split == "train" else f"; dataset.{split}=0.1 takes a tenth of the training split"
    there = f" ({path.parent} has {contents(path.parent)})" if path.parent.is_dir() else ""
    raise InputError(f"{what}{there}; correct dataset.data_dir or dataset.{split}{share}.")


def split_names(folder: Path, endings: Iterable[str], *, with_ending: bool) -> list[str]:
    """Return what splits in a folder could be called, of which shards have one name.

    Files that tell of a set, such as README.txt, are none if there are others.

    :param endings: how the names of their files end, before the ending of a compression.
    :param with_ending: whether the ending belongs to the name.
    """
    names: dict[str, None] = {}
    files = _names(folder)
    for file in [name for name in files if not DOCUMENTS.match(name)] or files:
        for ending in endings:
            shared = re.fullmatch(
                f"(.+?)(?:{NUMBER})?{re.escape(ending)}(?:{NUMBER})?", _plain(file)
            )
            if shared is None:
                continue
            name = shared[1] + (ending if with_ending else "")
            if shared[2] or shared[3]:
                path = folder / name
                if not _numbered_files(path, "" if with_ending else ending):
                    name = _plain(file) if with_ending else _plain(file).removesuffix(ending)
            names[name] = None
    return list(names)


def contents(folder: Path) -> str:
    """Return what is in a folder, for errors, not too much of it."""
    folders = sorted(f"{path.name}/" for path in folder.iterdir() if path.is_dir())
    return listed([*_names(folder), *folders]) or "nothing"


def _names(folder: Path) -> list[str]:
    """Return the names of a folder's files."""
    return sorted(
        path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    )


def _plain(name: str) -> str:
    """Return a file's name without the ending of a compression."""
    return next((name.removesuffix(end) for end in ENDINGS if name.endswith(end)), name)


def _matches(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files that fit a pattern; one that is there plain and compressed counts once."""
    paths = {
        folder / name
        for ending in ("", *ENDINGS)
        for name in glob(f"{pattern}{ending}", root_dir=folder)
    }
    for path in sorted(paths):
        if path.is_file() and (path.suffix not in ENDINGS or path.with_suffix("") not in paths):
            yield path


def _numbered(path: Path, ending: str) -> dict[str | int, Path]:
    """Return numbered files by their numbers, which go on from 0 or 1 without a gap."""
    files = _numbered_files(path, ending)
    numbers = sorted(files)
    missing = set(range(numbers[0], numbers[-1])) - set(numbers) if numbers else set()
    if missing:
        raise InputError(
            f"The files {files[numbers[0]]} to {files[numbers[-1]].name} must be numbered without "
            f"a gap, but number {min(missing)} is missing; put it back, or name the files by a "
            "pattern."
        )
    return {number: files[number] for number in numbers}


def _numbered_files(path: Path, ending: str) -> dict[int, Path]:
    """Return numbered files by their numbers; numbers from 2 on, such as years, number nothing."""
    head, tail = (path.name, ending) if ending else (path.stem, path.suffix)
    patterns = [
        re.compile(f"{re.escape(head + tail)}{NUMBER}"),
        re.compile(f"{re.escape(head)}{NUMBER}{re.escape(tail)}"),
    ]
    files: dict[int, Path] = {}
    for name in _names(path.parent) if path.parent.is_dir() else []:
        for pattern in patterns:
            numbered = pattern.fullmatch(_plain(name))
            if numbered is not None:
                files.setdefault(int(numbered[1]), path.with_name(name))
    return files if files and min(files) <= 1 else {}


def paired(files: Sequence[dict[str | int, Path]], endings: Sequence[str]) -> list[list[Path]]:
    """Return the files of several endings that belong together.

    :raises InputError: if one of them lacks a file that another one has.
    """
    keys = {key: None for side in files for key in side}
    for key in keys:
        lacking = [ending for ending, side in zip(endings, files, strict=True) if key not in side]
        if lacking:
            there = next(side[key] for side in files if key in side)
            raise InputError(
                f"The file {there} has no counterpart for `{lacking[0]}`, but files side by side "
                "need one of each; put it back, or correct dataset.source and dataset.target."
            )
    return [[side[key] for side in files] for key in keys]
