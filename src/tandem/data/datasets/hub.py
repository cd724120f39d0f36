"""Sets of the Hugging Face Hub, or folders that are laid out like them."""

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import check_on_bad_example, check_splits
from tandem.data.datasets.hub_split import load_split, open_split, stored_files
from tandem.data.datasets.hub_stream import hub_shards
from tandem.data.splitting import Part, Splitting, check_streaming
from tandem.data.stream import Stream, StreamedSplits

logger = logging.getLogger(__name__)


def hub(
    *,
    path: str,
    name: str | None,
    revision: str | None,
    source: str,
    target: str,
    references: str | None,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Load a set by its name and pick two columns.

    :param path: its name on the Hub, such as ``wmt/wmt14``, or a local folder in the same layout.
    :param name: its configuration, such as ``de-en``, or None.
    :param revision: a branch of its repository, such as ``refs/convert/parquet``, which the Hub
        keeps for sets whose main branch is a script; None for the main branch.
    :param source: the source column; ``translation.de`` looks into a column of records.
    :param target: the target column, given in the same way.
    :param references: a column of lists of acceptable outputs, or None.
    :param train: the split to train on; a part of one, such as ``train[:90%]``, is possible.
    :param validation: the split to validate on, or a share of the training rows.
    :param test: the same for test; None: there is no test split.
    :param seed: what shares are drawn from.
    :param streaming: read the training pairs as a stream; ``train`` is a whole split then.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    check_on_bad_example(on_bad_example)
    wanted = {"source": source, "target": target}
    if references is not None:
        wanted["references"] = references
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    check_streaming(splitting, streaming=streaming)
    parts = splitting.names(lambda name: True)
    streamed = parts.pop("train") if streaming else None
    splits = {}
    for split, part in parts.items():
        chosen = _choose(_load(path, name, revision, split, part), wanted, f"{path} split {part}")
        splits[split] = _keep_filled(chosen, f"{path} split {part}", on_bad_example)
    loaded = check_splits(DatasetDict(_divided(splits, splitting)))
    if streamed is None:
        return loaded
    if "[" in streamed:
        raise InputError(
            f"dataset.train={streamed} is a part of a split, but a stream reads a whole one; name "
            "a whole split, or set data.streaming=false."
        )
    told = _told(path, name, "train", streamed)
    rows = open_split(path, name, streamed, revision=revision, **told)
    files = stored_files(path, name, streamed, revision=revision, **told)
    place = f"{path} split {streamed}"
    shards = hub_shards(rows, files, source=source, target=target, place=place)
    return StreamedSplits(Stream(shards, skip_bad=on_bad_example == "skip"), loaded)


def _divided(splits: dict[str, Dataset], splitting: Splitting) -> dict[str, Dataset]:
    """Return all splits, those with shares of the training rows as selections of it."""
    if not splitting.shares:
        return splits
    train = splits["train"]
    sources = train["source"][:]
    rows = splitting.divide({"train": range(len(train))}, lambda row: sources[row])
    return {**splits, **{split: train.select(chosen) for split, chosen in rows.items()}}


def _load(path: str, name: str | None, revision: str | None, split: str, part: str) -> Dataset:
    """Return one split."""
    return load_split(path, name, part, revision=revision, **_told(path, name, split, part))


def _told(path: str, name: str | None, split: str, part: str) -> dict[str, str]:
    """Return the names that were asked for and a remedy, for whatever stops the library."""
    remedy = "" if Path(path).is_dir() else " and the network, or use a folder with its files"
    if split != "train":
        remedy += f", or take a tenth of the training rows with dataset.{split}=0.1"
    return {
        "told": f"The set dataset.path={path} (dataset.name={name}, dataset.{split}={part})",
        "remedy": f"check the three names{remedy}",
    }


def _choose(split: Dataset, wanted: dict[str, str], place: str) -> Dataset:
    """Return the wanted columns under their own names."""
    if len(set(wanted.values())) < len(wanted):
        raise InputError(
            f"dataset.source, dataset.target and dataset.references ({', '.join(wanted.values())}) "
            "must be different columns."
        )
    flat = split.flatten()
    for key, column in wanted.items():
        if column not in flat.column_names:
            raise InputError(
                f"{place} has no column `{column}` (its columns are "
                f"{', '.join(flat.column_names)}); set dataset.{key} to one of them."
            )
    chosen = flat.select_columns(list(wanted.values()))
    chosen = chosen.rename_columns({column: key for key, column in wanted.items()})
    for key, column in wanted.items():
        kind = chosen.features.arrow_schema.field(key).type
        item = kind.value_type if key == "references" and pa.types.is_list(kind) else kind
        if not (pa.types.is_string(item) or pa.types.is_large_string(item)):
            raise InputError(
                f"The column `{column}` of {place} must hold text, but holds {kind}; set "
                f"dataset.{key} to another."
            )
    return chosen


def _keep_filled(split: Dataset, place: str, on_bad_example: str) -> Dataset:
    """Return the rows that have both texts; an empty one is an error or is skipped."""
    table = split.with_format("arrow")[:]
    filled = {key: _is_filled(table.column(key)) for key in ("source", "target")}
    kept = pc.and_(filled["source"], filled["target"])
    empty = pc.index(kept, False).as_py()
    if empty < 0:
        return split
    if on_bad_example == "error":
        side = "target" if filled["source"][empty].as_py() else "source"
        raise InputError(
            f"The {side} at {place} row {empty + 1} is empty, but every example needs a source and "
            "a target; correct the set or set dataset.on_bad_example=skip."
        )
    rows = pc.indices_nonzero(kept).to_pylist()
    logger.info(
        "Skipped %d of %d examples with an empty source or target, the first of them in %s row %d.",
        len(kept) - len(rows),
        len(kept),
        place,
        empty + 1,
    )
    return split.select(rows)


def _is_filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return for each text whether it has more than whitespace."""
    return pc.not_equal(pc.utf8_trim_whitespace(pc.fill_null(column, "")), "")
