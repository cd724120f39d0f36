"""Spelling to phonemes: SIGMORPHON 2020, task 1 (Gorman et al. 2020)."""

from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.cache import cache_folder
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.download import download
from tandem.data.datasets.texts import make_splits
from tandem.data.layouts import SplitRows
from tandem.data.rows.table import TableFile, TableFormat
from tandem.data.text_columns import TextColumns

URL = "https://raw.githubusercontent.com/sigmorphon/2020/master/task1/data"
FOLDERS = {"train": "train", "validation": "dev", "test": "test"}
LANGUAGES = (
    *("ady", "arm", "bul", "dut", "fre", "geo", "gre", "hin"),
    *("hun", "ice", "jpn", "kor", "lit", "rum", "vie"),
)


def g2p(*, language: str, data_dir: str | None, strip: bool, on_bad_example: str) -> DatasetDict:
    """Load one language: the word is the source, its phonemes with spaces between the target.

    :param language: the code in the files' names, such as ``fre``.
    :param data_dir: folder with ``train/fre_train.tsv``, ``dev/fre_dev.tsv`` and
        ``test/fre_test.tsv``; any language whose files are there can be read.
    :param strip: whether whitespace at the ends of texts is removed.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    folder = resolve_data_dir(data_dir, "g2p2020")
    if folder is None and language not in LANGUAGES:
        raise InputError(f"dataset.language ({language}) must be one of {', '.join(LANGUAGES)}.")
    columns = TextColumns(source=0, target=1, strip=strip)
    form = TableFormat(delimiter="\t", header=False, width=2)
    splits = {
        split: SplitRows([TableFile(_locate(folder, language, name), form)], columns)
        for split, name in FOLDERS.items()
    }
    return make_splits(splits, on_bad_example=on_bad_example)


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
