"""Texts alone: files with one text a line, each of which is source and target at once."""

from pathlib import Path

from datasets import DatasetDict

from tandem.data.datasets.base import folder_or_file
from tandem.data.datasets.texts import load_texts
from tandem.data.layouts import FileLayout
from tandem.data.rows import RowFile
from tandem.data.rows.side_by_side import SideBySide
from tandem.data.splitting import Part, Splitting
from tandem.data.stream import StreamedSplits
from tandem.data.text_columns import TextColumns

ENDINGS = ((".txt",), ("",))
"""How names of files end that hold texts: with .txt, or else in any way."""


def text(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    strip: bool,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Load files such as ``train.txt``, also compressed.

    A language model learns the targets; any other model learns to write what it reads, which with
    noise on the sources is a denoising autoencoder.

    :param data_dir: the folder of the files, or a file.
    :param train: the training file's name; a pattern such as ``train-*.txt`` for several files,
        which are the shards of a stream; or ``auto``.
    :param validation: the same for validation, or a share of the training texts.
    :param test: the same for test; None: there is no test split.
    :param seed: what shares are drawn from.
    :param strip: whether whitespace at the ends of texts is removed.
    :param streaming: read the training texts as a stream.
    :param on_bad_example: ``error``, or ``skip`` empty lines.
    """
    columns = TextColumns(source="source", target="target", strip=strip)
    layout = FileLayout(*folder_or_file(data_dir), ENDINGS, columns, _both_sides)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    return load_texts(layout, splitting, streaming=streaming, on_bad_example=on_bad_example)


def _both_sides(path: Path) -> RowFile:
    return SideBySide({"source": path, "target": path})
