"""Parallel text: files side by side, one text a line."""

from datasets import DatasetDict

from tandem.data.datasets.base import existing_folder
from tandem.data.datasets.texts import load_texts
from tandem.data.layouts import SideBySideLayout
from tandem.data.splitting import Part, Splitting
from tandem.data.stream import StreamedSplits
from tandem.data.text_columns import References, TextColumns


def parallel(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    source: str,
    target: str | None,
    references: References,
    strip: bool,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Load files such as ``train.en`` and ``train.de``, also ``train.en.gz`` or ``.zst``.

    :param data_dir: the folder of the files.
    :param train: the part of the training files' names before the dot; what shards share, as
        ``train`` for ``train.en.000``; a pattern such as ``train-*``; or ``auto``.
    :param validation: the same for the validation files, or a share of the training pairs.
    :param test: the same for the test files; None: there is no test split.
    :param seed: what shares are drawn from.
    :param source: the part of the source files' names behind the dot, such as ``en``.
    :param target: the same for the target files; None: each reference is a target.
    :param references: the same for files of references, one or several; or ``by_source``.
    :param strip: whether whitespace at the ends of texts is removed.
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    columns = TextColumns(source=source, target=target, references=references, strip=strip)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    layout = SideBySideLayout(existing_folder(data_dir), columns)
    return load_texts(layout, splitting, streaming=streaming, on_bad_example=on_bad_example)
