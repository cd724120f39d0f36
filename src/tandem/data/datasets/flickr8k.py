"""Flickr8k: photographs with five captions each, Hodosh et al. (2013)."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.hub_captions import hub_copy
from tandem.data.datasets.media_files import load_tables
from tandem.data.file_columns import FileColumns
from tandem.data.file_tables import Table
from tandem.data.rows import Column, Record, RowFile, WholeFile
from tandem.data.rows.flickr_tokens import read_flickr_tokens
from tandem.data.rows.table import TableFile, TableFormat
from tandem.data.splitting import Part, Splitting
from tandem.data.text_files import read_lines

TEXTS = (".", "Flickr8k_text")
PICTURES = ("Flicker8k_Dataset", "Flickr8k_Dataset", "Images", "images")
"""Folders of photographs; the first is spelt as in the original."""
TOKENS, TABLE = "Flickr8k.token.txt", "captions.txt"
LISTS = {
    "train": "Flickr_8k.trainImages.txt",
    "validation": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}


def flickr8k(
    *,
    data_dir: str | None,
    validation: Part,
    test: Part | None,
    seed: int,
    hub: str | None,
    image: str,
    captions: Sequence[str],
    strip: bool,
    on_bad_example: str,
) -> DatasetDict:
    """Load 6,000 / 1,000 / 1,000 photographs, from disk or from a copy on the Hub.

    A folder without the lists of the three splits, such as Kaggle's, is divided into shares.

    Training has an example for each caption, evaluation one for each photograph with its captions
    as references.

    :param data_dir: folder with the captions as ``Flickr8k.token.txt`` or ``captions.txt``, a
        folder of photographs (``Flicker8k_Dataset`` or ``Images``), and the lists of file names.
    :param validation: without the lists, the share of the photographs to validate on; ``auto``: a
        tenth, or the official list.
    :param test: the same for test; ``auto``: none, or the official list.
    :param seed: what shares are drawn from.
    :param hub: name of a copy on the Hub with splits train, validation and test, which is read
        instead of a folder.
    :param image: the copy's column of photographs.
    :param captions: the copy's columns of captions.
    :param strip: whether whitespace at the ends of captions is removed.
    :param on_bad_example: ``error``, or ``skip`` photographs that are missing or have no caption.
    """
    if hub is not None:
        return hub_copy(
            hub, image=image, captions=captions, strip=strip, on_bad_example=on_bad_example
        )
    folder = resolve_data_dir(data_dir, "flickr8k")
    if folder is None:
        raise InputError(
            "The set flickr8k is not on this machine; set dataset.data_dir to its folder, or "
            "dataset.hub to the name of a copy on the Hub, such as jxie/flickr8k."
        )
    path = _find_text(folder, TOKENS, TABLE)
    rows: RowFile = TableFile(path, TableFormat(delimiter=","))
    if path.name == TOKENS:
        rows = WholeFile(path, read_flickr_tokens)
    lists = _lists(folder)
    if lists:
        rows = WholeFile(path, partial(_listed, rows, lists))
    return load_tables(
        [Table(path.name, rows, [_find(folder, PICTURES)])],
        FileColumns(
            fixed=True,
            file="image",
            target="caption",
            split="split" if lists else None,
            strip=strip,
        ),
        Splitting(train="auto", validation=validation, test=test, seed=seed),
        folder,
        on_bad_example=on_bad_example,
    )


def _lists(folder: Path) -> dict[str, Path]:
    """Return the list of each split; empty: there is none."""
    names = [name for name in LISTS.values() for place in TEXTS if (folder / place / name).exists()]
    return {split: _find_text(folder, name) for split, name in LISTS.items()} if names else {}


def _listed(rows: RowFile, lists: dict[str, Path], _path: Path) -> Iterator[Record]:
    """Yield a row for each photograph of a list, with all of its captions."""
    captions: dict[str, list[str]] = {}
    for record in rows.records():
        if not {"image", "caption"} <= set(record.values):
            raise InputError(
                f"{record.place} must have the columns image and caption, but has "
                f"{', '.join(map(str, record.values))}; take the table as it was published."
            )
        captions.setdefault(record.values["image"], []).append(record.values["caption"])
    for split, path in lists.items():
        for number, line in enumerate(read_lines(path, strip=True), start=1):
            if line:
                values: dict[Column, Any] = {
                    "image": line,
                    "caption": captions.get(line, []),
                    "split": split,
                }
                yield Record(f"{path} line {number}", values)


def _find_text(folder: Path, *names: str) -> Path:
    """Return the first of the files that is there."""
    return _find(folder, tuple(f"{place}/{name}" for name in names for place in TEXTS))


def _find(folder: Path, names: tuple[str, ...]) -> Path:
    """Return the first of the files or folders that is there."""
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise InputError(
        f"The folder {folder} must have one of {', '.join(map(str, map(Path, names)))}; correct "
        "dataset.data_dir."
    )
