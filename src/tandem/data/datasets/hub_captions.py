"""Captioned pictures of the Hugging Face Hub, or of folders that are laid out like its sets."""

import logging
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, Features, Image, List, Value, concatenate_datasets

from tandem.core.errors import InputError
from tandem.data.datasets.base import check_on_bad_example, check_splits
from tandem.data.datasets.file_splits import FILE_FEATURES
from tandem.data.hub_split import load_split, split_names
from tandem.data.splitting import AUTO, Part, Splitting

logger = logging.getLogger(__name__)


def hub_captions(
    *,
    path: str,
    name: str | None,
    image: str,
    captions: Sequence[str],
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    strip: bool,
    on_bad_example: str,
) -> DatasetDict:
    """Load a set by its name and pick its columns of pictures and captions.

    Training has an example for each caption, evaluation one for each row with all of its captions
    as references. Pictures stay as they are stored.

    :param path: the set's name on the Hub, or a local folder in the same layout.
    :param name: its configuration, or None.
    :param image: the column of pictures.
    :param captions: the columns of captions, each of texts or of lists of texts.
    :param train: the split to train on; a part of one, such as ``train[:90%]``, is possible.
    :param validation: the split to validate on, or a share of the training pictures.
    :param test: the same for test; None: there is no test split.
    :param seed: what shares are drawn from.
    :param strip: whether whitespace at the ends of captions is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a picture or caption.
    """
    check_on_bad_example(on_bad_example)
    if not captions:
        raise InputError("dataset.captions must name at least one column, but is empty.")
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    told = f"The set {path} (configuration {name})"
    remedy = "check the two names and the network"
    if AUTO in (train, validation, test):
        names = split_names(path, name, told=told, remedy=remedy)
        splitting = splitting.settled(names, where=f"the set {path}")
    loaded: dict[str, tuple[Dataset, list[list[str]]]] = {}
    for split, part in splitting.names.items():
        place = f"{path} split {part}"
        rows = load_split(
            path,
            name,
            part,
            told=f"The set {path} (configuration {name}, split {part})",
            remedy="check the three names and the network",
        )
        _check_columns(rows, image, captions, place)
        texts = _texts(rows, captions, place, strip=strip)
        pictures = _pictures(rows, image)
        kept = _kept(pictures, texts, place, on_bad_example)
        if len(kept) < len(texts):
            pictures, texts = pictures.select(kept), [texts[row] for row in kept]
        loaded[split] = pictures, texts
    made = {
        split: _spread(*rows) if split == "train" else _with(*rows)
        for split, rows in _divided(loaded, splitting).items()
    }
    return check_splits(DatasetDict(made))


def _divided(
    splits: dict[str, tuple[Dataset, list[list[str]]]], splitting: Splitting
) -> dict[str, tuple[Dataset, list[list[str]]]]:
    """Return all splits; equal pictures stay in one."""
    if not splitting.shares:
        return splits
    pictures, texts = splits["train"]

    def content(row: int) -> str:
        file = pictures[row]["source"]
        return str(zlib.crc32(file["bytes"] or Path(file["path"]).read_bytes()))

    rows = splitting.divide({"train": range(len(texts))}, content)
    taken = {
        split: (pictures.select(chosen), [texts[row] for row in chosen])
        for split, chosen in rows.items()
    }
    return {**splits, **taken}


def hub_copy(
    path: str, *, image: str, captions: Sequence[str], strip: bool, on_bad_example: str
) -> DatasetDict:
    """Load a copy of a named set, with splits called train, validation and test."""
    return hub_captions(
        path=path,
        name=None,
        image=image,
        captions=captions,
        train="train",
        validation="validation",
        test="test",
        seed=0,
        strip=strip,
        on_bad_example=on_bad_example,
    )


def _check_columns(rows: Dataset, image: str, captions: Sequence[str], place: str) -> None:
    """Refuse columns that are not there or hold something else."""
    for key, column in (("image", image), *(("captions", column) for column in captions)):
        if column not in rows.column_names:
            raise InputError(
                f"{place} has no column `{column}` (its columns are "
                f"{', '.join(rows.column_names)}); correct dataset.{key}."
            )
    if not isinstance(rows.features[image], Image):
        raise InputError(
            f"The column `{image}` of {place} must hold pictures, but holds "
            f"{rows.features[image]}; set dataset.image to another."
        )


def _texts(rows: Dataset, captions: Sequence[str], place: str, *, strip: bool) -> list[list[str]]:
    """Return the captions of each row that are not empty."""
    columns = [rows[column][:] for column in captions]
    texts: list[list[str]] = []
    for values in zip(*columns, strict=True):
        listed = [
            text for value in values for text in (value if isinstance(value, list) else [value])
        ]
        for text in listed:
            if not isinstance(text, str | None):
                raise InputError(
                    f"The captions of {place} must be texts or lists of texts, but row "
                    f"{len(texts) + 1} has a {type(text).__name__}; set dataset.captions to other "
                    "columns."
                )
        filled = [text for text in listed if text is not None and text.strip()]
        texts.append([text.strip() for text in filled] if strip else filled)
    return texts


def _pictures(rows: Dataset, image: str) -> Dataset:
    """Return the pictures alone, as files that are not decoded."""
    stored = rows.select_columns([image]).cast_column(image, Image(decode=False))
    return stored.rename_column(image, "source").cast(Features({"source": FILE_FEATURES}))


def _kept(pictures: Dataset, texts: list[list[str]], place: str, on_bad_example: str) -> list[int]:
    """Return the rows that have a picture and a caption; others are an error or skipped."""
    missing = pictures.with_format("arrow")["source"][:].is_null().to_pylist()
    kept = [row for row, known in enumerate(texts) if known and not missing[row]]
    bad = next((row for row in range(len(texts)) if missing[row] or not texts[row]), None)
    if bad is None:
        return kept
    what = "picture" if missing[bad] else "caption"
    if on_bad_example == "error":
        raise InputError(
            f"Row {bad + 1} of {place} has no {what}, but every example needs both; correct the "
            "set or set data.on_bad_example=skip."
        )
    logger.info(
        "Skipped %d of %d examples of %s; the first: row %d has no %s.",
        len(texts) - len(kept),
        len(texts),
        place,
        bad + 1,
        what,
    )
    return kept


def _with(pictures: Dataset, texts: list[list[str]]) -> Dataset:
    """Return the pictures with their first captions as targets and all as references."""
    columns: dict[str, tuple[list[Any], Any]] = {
        "target": ([known[0] for known in texts], Value("string")),
        "references": (texts, List(Value("string"))),
    }
    for column, (values, kind) in columns.items():
        pictures = pictures.add_column(column, values, feature=kind)
    return pictures


def _spread(pictures: Dataset, texts: list[list[str]]) -> Dataset:
    """Return an example for each caption; the pictures are stored once where all have as many."""
    parts = []
    for place in range(max(map(len, texts), default=0)):
        rows = [row for row, known in enumerate(texts) if place < len(known)]
        part = pictures if len(rows) == len(texts) else pictures.select(rows)
        parts.append(_with(part, [[texts[row][place]] for row in rows]))
    return concatenate_datasets(parts) if parts else _with(pictures, texts)
