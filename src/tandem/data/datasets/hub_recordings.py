"""Recordings of the Hugging Face Hub, as they are stored."""

import pyarrow.compute as pc
from datasets import Audio, Dataset, Value

from tandem.core.errors import InputError
from tandem.data.hub_split import load_split


def hub_recordings(
    path: str,
    name: str,
    part: str,
    target: str,
    *,
    lowercase: bool,
    strip: bool,
    on_bad_example: str,
) -> Dataset:
    """Return a split of a set of the Hub, its recordings as they are stored, without a copy.

    :param path: its name on the Hub.
    :param name: its configuration.
    :param part: its split.
    :param target: the column of texts; the recordings stand in the column ``audio``.
    :param lowercase: whether to lowercase the texts.
    :param strip: whether whitespace at the ends of texts is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a recording or text.
    """
    rows = load_split(
        path,
        name,
        part,
        told=f"The set {path} (configuration {name}, split {part})",
        remedy="check the network, or set dataset.data_dir to a folder that has it",
    )
    for column in ("audio", target):
        if column not in rows.column_names:
            raise InputError(
                f"{path} split {part} has no column `{column}` (its columns are "
                f"{', '.join(rows.column_names)}); choose a set that has it."
            )
    texts = [
        (text or "").strip() if strip or not (text or "").strip() else text
        for text in rows[target][:]
    ]
    if lowercase:
        texts = [text.lower() for text in texts]
    rows = _undecoded(rows).add_column("target", texts, feature=Value("string"))
    table = rows.with_format("arrow")[:]
    filled = pc.and_(pc.not_equal(table["target"], ""), pc.is_valid(table["source"]))
    empty = pc.index(filled, False).as_py()
    if empty < 0:
        return rows
    if on_bad_example == "error":
        raise InputError(
            f"Row {empty + 1} of {path} split {part} lacks its recording or text; set "
            "data.on_bad_example=skip to leave such rows out."
        )
    return rows.select(pc.indices_nonzero(filled).to_pylist())


def _undecoded(rows: Dataset) -> Dataset:
    """Return the column ``audio`` as the column ``source`` of files, which nothing decodes."""
    stored = rows.select_columns("audio").cast_column("audio", Audio(decode=False))
    stored = stored.rename_column("audio", "source")
    return Dataset(stored.data.replace_schema_metadata(None))  # it said that they are Audio
