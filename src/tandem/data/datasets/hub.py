"""Sets of the Hugging Face Hub, or folders that are laid out like them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

from datasets import DatasetDict

from tandem.core.errors import InputError, written
from tandem.data.datasets.texts import load_texts
from tandem.data.hub_split import load_split, open_split, split_names, stored_files
from tandem.data.layouts import Layout, SplitRows
from tandem.data.rows.hub_rows import HubRows
from tandem.data.splitting import Part, Splitting
from tandem.data.stream import StreamedSplits
from tandem.data.text_columns import References, TextColumns


def hub(
    *,
    path: str,
    name: str | None,
    revision: str | None,
    source: str,
    target: str | None,
    references: References,
    train: str,
    validation: Part,
    test: Part | None,
    split_column: str | None,
    seed: int,
    group: str | None,
    strip: bool,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Load a set by its name and pick its columns.

    :param path: its name on the Hub, such as ``wmt/wmt14``, or a local folder in the same layout.
    :param name: its configuration, such as ``de-en``, or None.
    :param revision: a branch of its repository, such as ``refs/convert/parquet``, which the Hub
        keeps for sets whose main branch is a script; None for the main branch.
    :param source: the source column; ``translation.de`` looks into a column of records.
    :param target: the target column; None: each reference is a target.
    :param references: a column of acceptable outputs or of lists of them, several, or
        ``by_source``.
    :param train: the split to train on, or ``auto``; a part of one, such as ``train[:90%]``, is
        possible.
    :param validation: the same for validation, or a share of the training rows.
    :param test: the same for test; None: there is no test split.
    :param split_column: the column of the names of rows' splits, of which the three above are
        values then; None: there is none.
    :param seed: what shares are drawn from.
    :param group: the column of what rows that stay in one split have in common.
    :param strip: whether whitespace at the ends of texts is removed.
    :param streaming: read the training pairs as a stream; ``train`` is a whole split then.
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
    layout = HubLayout(path, name, revision, columns, streaming)
    return load_texts(layout, splitting, streaming=streaming, on_bad_example=on_bad_example)


@final
@dataclass
class HubLayout(Layout):
    """The splits of a set."""

    path: str
    name: str | None
    revision: str | None
    columns: TextColumns
    streaming: bool
    """Whether the training split is read as a stream."""

    @property
    def where(self) -> str:
        """See :class:`Layout`."""
        return f"the set {self.path}"

    def names(self) -> list[str]:
        """See :class:`Layout`."""
        return self._names

    @cached_property
    def _names(self) -> list[str]:
        return split_names(
            self.path, self.name, revision=self.revision, **self._told("train", "auto")
        )

    def has(self, name: str) -> bool:
        """See :class:`Layout`."""
        return name in self._names

    def open(self, split: str, name: str) -> SplitRows:
        """See :class:`Layout`."""
        place = f"{self.path} split {name}"
        told = self._told(split, name)
        if not (self.streaming and split == "train"):
            rows = load_split(self.path, self.name, name, revision=self.revision, **told)
            return SplitRows([HubRows(rows, self.columns.all, place, ())], self.columns)
        if "[" in name:
            raise InputError(
                f"dataset.train={name} is a part of a split, but a stream reads a whole one; name "
                "a whole split, or set data.streaming=false."
            )
        stream = open_split(self.path, self.name, name, revision=self.revision, **told)
        files = stored_files(self.path, self.name, name, revision=self.revision, **told)
        count = stream.num_shards
        shards = [
            HubRows(
                stream.shard(num_shards=count, index=number),
                self.columns.all,
                f"{place} shard {number + 1} of {count}",
                tuple(files[number::count]),
            )
            for number in range(count)
        ]
        return SplitRows(shards, self.columns)

    def _told(self, split: str, part: str) -> dict[str, str]:
        """Return the names that were asked for and a remedy, for whatever stops the library."""
        remedy = (
            "" if Path(self.path).is_dir() else " and the network, or use a folder with its files"
        )
        if split != "train":
            remedy += f", or take a tenth of the training rows with dataset.{split}=0.1"
        return {
            "told": f"The set dataset.path={self.path} (dataset.name={written(self.name)}, "
            f"dataset.{split}={part})",
            "remedy": f"check the three names{remedy}",
        }
