"""Multi30k: captions in four languages, Elliott et al. (2016), task 1 with the 2016 test set."""

from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.cache import cache_folder
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.download import download
from tandem.data.datasets.texts import make_splits
from tandem.data.layouts import SplitRows
from tandem.data.rows import Column
from tandem.data.rows.side_by_side import SideBySide
from tandem.data.text_columns import TextColumns

URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1"
LANGUAGES = ("en", "de", "fr", "cs")
FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
MARKS = {"raw": ("",), "tok": ("", ".lc.norm.tok")}
PUBLIC_ENDING = {"raw": "{language}.gz", "tok": "lc.norm.tok.{language}"}


def multi30k(
    *,
    source: str,
    target: str,
    variant: str,
    data_dir: str | None,
    strip: bool,
    on_bad_example: str,
) -> DatasetDict:
    """Load a pair of languages, from disk if the files are there, else from their public home.

    :param source: en, de, fr or cs.
    :param target: another of them, or the same: then each caption is its own target.
    :param variant: ``raw`` captions, or ``tok``: the authors' lowercased, normalised and tokenised
        ones.
    :param data_dir: folder with the files, or with a folder ``raw`` or ``tok`` that has them; both
        the names ``train.en`` and ``train.lc.norm.tok.en`` are known, also with ``.gz`` behind.
    :param strip: whether whitespace at the ends of captions is removed.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    _check(source, target, variant)
    folder = resolve_data_dir(data_dir, "multi30k")
    columns = TextColumns(source="source", target="target", strip=strip)
    splits = {}
    for split, stem in FILES.items():
        files: dict[Column, Path] = {
            column: _locate(folder, variant, stem, language)
            for column, language in (("source", source), ("target", target))
        }
        splits[split] = SplitRows([SideBySide(files)], columns)
    return make_splits(splits, on_bad_example=on_bad_example)


def _check(source: str, target: str, variant: str) -> None:
    """Refuse what the set does not have."""
    for key, language in (("source", source), ("target", target)):
        if language not in LANGUAGES:
            raise InputError(f"dataset.{key} ({language}) must be one of {', '.join(LANGUAGES)}.")
    if variant not in MARKS:
        raise InputError(f"dataset.variant ({variant}) must be one of {', '.join(MARKS)}.")


def _locate(folder: Path | None, variant: str, stem: str, language: str) -> Path:
    """Return where a file is, after fetching it if no folder was given."""
    if folder is None:
        name = f"{stem}.{PUBLIC_ENDING[variant].format(language=language)}"
        return download(f"{URL}/{variant}/{name}", cache_folder() / "multi30k" / variant / name)
    names = [
        f"{stem}{mark}.{language}{packing}" for mark in MARKS[variant] for packing in ("", ".gz")
    ]
    for path in (place / name for place in (folder / variant, folder) for name in names):
        if path.is_file():
            return path
    raise InputError(
        f"The folder {folder} must have the file {variant}/{names[0]} or {names[0]} (other names "
        f"that would do: {', '.join(names[1:])}); correct dataset.data_dir, or unset it and "
        "TANDEM_DATA to download the set."
    )
