"""Spelling to phonemes: SIGMORPHON 2020, task 1 (Gorman et al. 2020)."""

from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.cache import cache_folder
from tandem.data.datasets.base import Entry, make_splits, resolve_data_dir
from tandem.data.datasets.download import download
from tandem.data.text_files import read_lines

URL = "https://raw.githubusercontent.com/sigmorphon/2020/master/task1/data"
FOLDERS = {"train": "train", "validation": "dev", "test": "test"}
LANGUAGES = (
    *("ady", "arm", "bul", "dut", "fre", "geo", "gre", "hin"),
    *("hun", "ice", "jpn", "kor", "lit", "rum", "vie"),
)


def g2p(*, language: str, data_dir: str | None, on_bad_example: str) -> DatasetDict:
    """Load one language: the word is the source, its phonemes with spaces between the target.

    :param language: the code in the files' names, such as ``fre``.
    :param data_dir: folder with ``train/fre_train.tsv``, ``dev/fre_dev.tsv`` and
        ``test/fre_test.tsv``; any language whose files are there can be read.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    folder = resolve_data_dir(data_dir, "g2p2020")
    if folder is None and language not in LANGUAGES:
        raise InputError(f"dataset.language ({language}) must be one of {', '.join(LANGUAGES)}.")
    return make_splits(
        {split: _read(_locate(folder, language, name)) for split, name in FOLDERS.items()},
        on_bad_example=on_bad_example,
    )


def _locate(folder: Path | None, language: str, split: str) -> Path:
    """Return where a file is, after fetching it if no folder was given."""
    name = f"{split}/{language}_{split}.tsv"
    if folder is None:
        return download(f"{URL}/{name}", cache_folder() / "g2p2020" / name)
    path = folder / name
    if not path.is_file():
        there = sorted(file.name.split("_")[0] for file in (folder / split).glob(f"*_{split}.tsv"))
        raise InputError(
            f"The file {path} does not exist; correct dataset.data_dir, or set dataset.language to "
            f"a language whose files are there ({', '.join(there) or 'none'})."
        )
    return path


def _read(path: Path) -> list[Entry]:
    """Return the pairs of a file ``word<TAB>p h o n e m e s``."""
    entries = []
    for number, line in enumerate(read_lines(path, strip=True), start=1):
        fields = line.split("\t")
        place = f"{path} line {number}"
        if line and len(fields) != 2:
            raise InputError(
                f"{place} must be a word, one tab and its phonemes, but has {len(fields) - 1} "
                "tabs; correct the line."
            )
        word, phonemes = fields if line else ("", "")
        entries.append(Entry(word.strip(), phonemes.strip(), place, place))
    return entries
