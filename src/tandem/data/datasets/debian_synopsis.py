"""Descriptions of Debian packages -> their one-line synopses."""

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.json_lines import json_lines
from tandem.data.stream import StreamedSplits

FOLDER = "debian_synopsis"


def debian_synopsis(
    *, data_dir: str | None, strip: bool, streaming: bool, on_bad_example: str
) -> DatasetDict | StreamedSplits:
    """Load ``train.jsonl``, ``validation.jsonl`` and ``test.jsonl`` from disk.

    :param data_dir: their folder; by default ``debian_synopsis`` in the folder of sets that
        ``TANDEM_DATA`` names. A line is an object with the keys ``document`` and ``summary``.
    :param strip: whether whitespace at the ends of texts is removed.
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    folder = resolve_data_dir(data_dir, FOLDER)
    if folder is None:
        raise InputError(
            "The set debian_synopsis has no public home, so its files must be on disk; set "
            "dataset.data_dir to their folder, or TANDEM_DATA to the folder that has "
            f"{FOLDER}/train.jsonl."
        )
    return json_lines(
        data_dir=str(folder),
        train="train.jsonl",
        validation="validation.jsonl",
        test="auto",
        split_column=None,
        seed=0,
        source="document",
        target="summary",
        references=None,
        group=None,
        strip=strip,
        streaming=streaming,
        on_bad_example=on_bad_example,
    )
