"""Docstrings of the installed packages: what stands behind the first line -> the first line."""

import ast
import csv
import gc
import hashlib
import inspect
import json
import logging
import os
import platform
import re
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple, TypeAlias

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.cache import cache_folder, content_key, keep, read_cached
from tandem.data.datasets import docstring_text
from tandem.data.datasets.base import SPLITS, existing_folder, from_pairs

logger = logging.getLogger(__name__)

LEFT_OUT = {"test", "tests", "vendor", "_vendor", "site-packages", "dist-packages", "tandem", ".."}
"""Folders that are not read: tests, copies of other packages, and this project itself."""
RUN = 8
"""Words in a row that count as copied if they also stand in another text."""

Documented: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Splits: TypeAlias = dict[str, list[tuple[str, str]]]


class Origin(NamedTuple):
    """Where Python files come from."""

    name: str
    identity: list[str]
    """Changes whenever the files do."""
    files: Callable[[], Iterable[tuple[str, Path]]]
    """Gives each file with the name that decides its split, in an order that stays."""


def docstrings(*, min_words: int, held_out: float, data_dir: str | None) -> DatasetDict:
    """Read the docstrings of modules, classes and functions; no package is imported.

    The set depends on what is installed: the log states its sizes and a fingerprint, and results
    compare only where the fingerprints are equal. All pairs of a file are in one split, and
    validation and test leave out what is a copy of something in training. Each text has the
    licence of its package.

    :param min_words: fewest words of a source.
    :param held_out: share of the files that goes to validation, and again to test.
    :param data_dir: a folder of Python files to read instead of what is installed.
    """
    _check(min_words, held_out)
    origin = _environment() if data_dir is None else _folder(existing_folder(data_dir))
    rules = [inspect.getsource(docstring_text), Path(__file__).read_text(encoding="utf-8")]
    key = content_key(rules, origin.identity, f"{min_words} {held_out}")
    path = cache_folder() / "docstrings" / f"{key}.json"
    cached = read_cached(path)
    if cached is not None:
        splits = _unpacked(cached.checked)
    else:
        logger.info("Reading the docstrings of %s; this is done once", origin.name)
        splits = _make(origin.files(), min_words, held_out)
        keep(path, json.dumps(splits).encode())
    texts = [text for name in SPLITS for pair in splits[name] for text in pair]
    sizes = ", ".join(f"{name} {len(splits[name]):,}" for name in SPLITS)
    fingerprint = content_key(texts)[:8]
    logger.info("Docstrings of %s: %s; fingerprint %s", origin.name, sizes, fingerprint)
    return from_pairs(splits)


def _check(min_words: int, held_out: float) -> None:
    if min_words < 1:
        raise InputError(f"dataset.min_words ({min_words}) must be at least 1.")
    if not 0 < held_out < 0.5:
        raise InputError(
            f"dataset.held_out ({held_out}) must lie between 0 and 0.5, as validation and test "
            "both take this share of the files."
        )


def _environment() -> Origin:
    """All installed packages, and Python's own library."""
    packages = sorted(
        {one.name: one for one in reversed(list(distributions()))}.values(),  # the first one counts
        key=lambda one: (one.name.lower(), one.name),
    )
    python = f"Python {platform.python_version()}"
    identity = [python, *(f"{one.name} {one.version}" for one in packages)]
    name = f"{python} and {len(packages)} packages"
    return Origin(name, identity, partial(_installed_files, packages))


def _installed_files(packages: list[Distribution]) -> Iterator[tuple[str, Path]]:
    library = Path(sysconfig.get_path("stdlib"))
    yield from ((f"python/{name}", library / name) for name in _python_files_below(library))
    for package in packages:
        record = package.read_text("RECORD")  # quicker than ``package.files``
        listed = csv.reader((record or "").splitlines())
        names = [row[0] for row in listed if row] if record else map(str, package.files or ())
        root = Path(str(package.locate_file("")))
        for name in sorted(filter(_is_wanted, names)):
            yield f"{package.name}/{name}", root / name


def _folder(folder: Path) -> Origin:
    """A folder of the user's."""
    files = [(name, folder / name) for name in _python_files_below(folder)]
    stats = [(name, path.stat()) for name, path in files]
    identity = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]
    return Origin(f"{len(files)} files in {folder}", identity, lambda: files)


def _python_files_below(folder: Path) -> list[str]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        inside = Path(parent).relative_to(folder)
        found += [(inside / name).as_posix() for name in names]
    return sorted(filter(_is_wanted, found))


def _is_wanted(name: str) -> bool:
    return name.endswith(".py") and LEFT_OUT.isdisjoint(name.split("/"))


def _make(files: Iterable[tuple[str, Path]], min_words: int, held_out: float) -> Splits:
    """Read the files, put each into a split, and leave out what is there already."""
    splits: Splits = {name: [] for name in SPLITS}
    seen: set[str] = set()
    with _parsing():
        for name, path in files:
            split = splits[_split(name, held_out)]
            for summary, body in _pairs(path):
                words = _words(body)
                if len(body.split()) >= min_words and words not in seen:
                    seen.add(words)
                    split.append((body, summary))
    splits["validation"] = _apart(splits["validation"], splits["train"])
    splits["test"] = _apart(splits["test"], [*splits["train"], *splits["validation"]])
    return splits


def _split(name: str, held_out: float) -> str:
    """Choose by the file's name alone, so that another package moves no file."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    return "test" if place < held_out else "validation" if place < 2 * held_out else "train"


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield first line and body of each docstring of a file; one that is no Python has none."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in _documented(tree):
        docstring = ast.get_docstring(node, clean=False) or ""
        if "\n" in docstring:
            text = docstring.encode("utf-8", "ignore").decode("utf-8")  # without half characters
            pair = docstring_text.summary_and_body(text)
            if pair is not None:
                yield pair


def _documented(tree: ast.Module) -> Iterator[Documented]:
    """Yield the module and all classes and functions, without a look at expressions."""
    yield tree
    rest: list[ast.AST] = [tree]
    while rest:
        node = rest.pop()
        for child in getattr(node, "body", ()):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield child
            rest.append(child)


def _apart(pairs: list[tuple[str, str]], others: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out pairs with a summary of the others', or mostly made of runs of their words."""
    summaries = {_words(summary) for _, summary in others}
    runs = {body: _runs(body) for body, _ in pairs}
    wanted = set().union(*runs.values())
    copied = set().union(*(wanted & _runs(body) for body, _ in others))
    return [
        (body, summary)
        for body, summary in pairs
        if _words(summary) not in summaries and 2 * len(runs[body] & copied) <= len(runs[body])
    ]


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text).split()
    return {tuple(words[first : first + RUN]) for first in range(max(1, len(words) - RUN + 1))}


@contextmanager
def _parsing() -> Iterator[None]:
    """Parse at twice the speed by not looking for cycles, and without warnings about the files."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if collecting:
            gc.enable()


def _unpacked(cached: memoryview) -> Splits:
    """What an earlier call kept."""
    splits = json.loads(str(cached, "utf-8"))
    return {name: [(body, summary) for body, summary in splits[name]] for name in SPLITS}
