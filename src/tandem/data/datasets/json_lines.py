"""JSON: one object a line, or an array of objects."""

from datasets import DatasetDict

from tandem.data.datasets.base import folder_or_file
from tandem.data.datasets.texts import load_texts
from tandem.data.layouts import FileLayout
from tandem.data.rows.json_objects import open_json
from tandem.data.splitting import Part, Splitting
from tandem.data.stream import StreamedSplits
from tandem.data.text_columns import References, TextColumns

ENDINGS = ((".jsonl", ".json", ".ndjson"),)
"""How names of files end that hold such rows."""


def json_lines(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    split_column: str | None,
    seed: int,
    source: str,
    target: str | None,
    references: References,
    group: str | None,
    strip: bool,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Load files whose lines are objects such as ``{"document": "...", "summary": "..."}``.

    A file that begins with ``[`` is one array of such objects. Numbers count as text, as they are
    written.

    :param data_dir: the folder of the files, or a file.
    :param train: the training file's name, such as ``train.jsonl``, also compressed
        (``train.jsonl.gz``, ``.zst``); a pattern such as ``train-*.jsonl`` for several files, which
        are the shards of a stream; or ``auto``.
    :param validation: the same for validation, or a share of the training rows.
    :param test: the same for test; None: there is no test split.
    :param split_column: the key of the name of each row's split, of which the three above are
        values then; None: there is none.
    :param seed: what shares are drawn from.
    :param source: the key of the source text; ``translation.de`` looks into an object.
    :param target: the key of the target text; None: each reference is a target.
    :param references: the key of a list of acceptable outputs, keys of several, or ``by_source``.
    :param group: the key of what rows that stay in one split have in common.
    :param strip: whether whitespace at the ends of texts is removed.
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    columns = TextColumns(
        source=source,
        target=target,
        references=references,
        group=group,
        split=split_column,
        strip=strip,
    )
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    layout = FileLayout(*folder_or_file(data_dir), ENDINGS, columns, open_json)
    return load_texts(layout, splitting, streaming=streaming, on_bad_example=on_bad_example)
