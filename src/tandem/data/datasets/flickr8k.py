"""Flickr8k: photographs with five captions each, Hodosh et al. (2013)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.folders import FileEntry, keep_whole, make_file_splits, read_records
from tandem.data.datasets.hub_captions import hub_copy
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
    hub: str | None,
    image: str,
    captions: Sequence[str],
    on_bad_example: str,
) -> DatasetDict:
    """Load 6,000 / 1,000 / 1,000 photographs, from disk or from a copy on the Hub.

    Training has an example for each caption, evaluation one for each photograph with its captions
    as references.

    :param data_dir: folder with the three lists of file names, the captions as
        ``Flickr8k.token.txt`` or ``captions.txt``, and a folder of photographs
        (``Flicker8k_Dataset`` or ``Images``).
    :param hub: name of a copy on the Hub with splits train, validation and test, which is read
        instead of a folder.
    :param image: the copy's column of photographs.
    :param captions: the copy's columns of captions.
    :param on_bad_example: ``error``, or ``skip`` photographs that are missing or have no caption.
    """
    if hub is not None:
        return hub_copy(hub, image=image, captions=captions, on_bad_example=on_bad_example)
    folder = resolve_data_dir(data_dir, "flickr8k")
    if folder is None:
        raise InputError(
            "The set flickr8k is not on this machine; set dataset.data_dir to its folder, or "
            "dataset.hub to the name of a copy on the Hub, such as jxie/flickr8k."
        )
    pictures = _find(folder, PICTURES)
    known = _captions(folder)
    return make_file_splits(
        {
            split: keep_whole(
                list(_entries(_find_text(folder, name), pictures, known)),
                on_bad_example=on_bad_example,
            )
            for split, name in LISTS.items()
        }
    )


def _entries(path: Path, pictures: Path, known: dict[str, list[str]]) -> Iterator[FileEntry]:
    """Yield the photographs of a list; one without captions gets an empty one."""
    for number, name in enumerate(read_lines(path, strip=True), start=1):
        if name:
            yield FileEntry(pictures / name, known.get(name, [""]), f"{path} line {number}")


def _captions(folder: Path) -> dict[str, list[str]]:
    """Return the captions of each file name."""
    known: dict[str, list[str]] = {}
    path = _find_text(folder, TOKENS, TABLE)
    for name, text in _token_rows(path) if path.name == TOKENS else _table_rows(path):
        known.setdefault(name, []).append(text)
    return known


def _token_rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the rows of ``name#number<TAB>caption``."""
    for number, line in enumerate(read_lines(path, strip=True), start=1):
        if not line:
            continue
        label, tab, text = line.partition("\t")
        name, mark, _ = label.rpartition("#")
        if not tab or not mark:
            raise InputError(
                f"{path} line {number} must be a file name, #, the caption's number, a tab and the "
                "caption; correct the line."
            )
        yield name, text.strip()


def _table_rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the rows of a table with columns image and caption."""
    for place, record in read_records(path):
        if not {"image", "caption"} <= set(record):
            raise InputError(
                f"{place} must have the columns image and caption, but the table has "
                f"{', '.join(record)}; correct the table's first row."
            )
        yield record["image"], record["caption"].strip()


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
