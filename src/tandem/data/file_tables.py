"""Where tables about pictures and recordings lie, and how their rows are stored."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tandem.core.errors import InputError
from tandem.data.compressed import ENDINGS as COMPRESSED
from tandem.data.compressed import find_file
from tandem.data.locate import find_files, split_names
from tandem.data.rows import RowFile, WholeFile
from tandem.data.rows.flickr_tokens import read_flickr_tokens
from tandem.data.rows.im2latex import read_im2latex
from tandem.data.rows.json_files import open_json_file
from tandem.data.rows.kaldi import is_kaldi, read_kaldi
from tandem.data.rows.table import TableFile, TableFormat
from tandem.data.splitting import listed

METADATA = ("metadata.csv", "metadata.jsonl")
"""The Hub's names of tables that have a row for each file beside them."""
ENDINGS = (".csv", ".tsv", ".tab", ".jsonl", ".json")
"""How the names of tables end that ``auto`` considers."""


class Table(NamedTuple):
    """Rows, and where the files are that they name."""

    name: str
    """For errors."""
    rows: RowFile
    roots: list[Path]
    """Folders in which relative paths are looked for, the first one first."""
    complete: Path | None = None
    """The folder all of whose files must have a row; None: there is none."""


@dataclass(frozen=True, kw_only=True)
class FileTables:
    """The tables of a set in a folder."""

    home: Path
    folder: str | None = None
    """Where the files are that tables name, in the set's folder; None: beside the table."""
    form: TableFormat = field(default_factory=TableFormat)
    """Of tables with delimiters."""

    @property
    def where(self) -> str:
        """For errors."""
        kinds = f"folders with {METADATA[0]} or Kaldi's files, or tables *{', *'.join(ENDINGS)}"
        return f"the folder {self.home} ({kinds})"

    def names(self) -> list[str]:
        """What could be a split: folders with a table in them, else tables."""
        folders = sorted(path.name for path in self.home.iterdir() if self.is_split(path))
        return folders or split_names(self.home, ENDINGS, with_ending=True)

    def has(self, name: str) -> bool:
        """Whether there is a split of this name, which may be a path or a pattern."""
        return self.is_split(self._path(name)) or bool(find_files(self.home, name))

    def open(self, option: str, name: str) -> list[Table]:
        """Return the tables of a name.

        :param option: what named it, such as train.
        :raises InputError: if there is none.
        """
        path = self._path(name)
        if self.is_split(path):
            return [self._in_folder(path)]
        if path.is_dir():
            raise InputError(
                f"The folder {path} must have {' or '.join(METADATA)}, or Kaldi's wav.scp and "
                f"text, but has neither; correct dataset.data_dir or dataset.{option}, or name a "
                "table with dataset.table."
            )
        files = list(find_files(self.home, name).values())
        if not files:
            share = "" if option in ("train", "table") else f"; dataset.{option}=0.1 takes a tenth "
            share += "of the training examples" if share else ""
            there = listed(self.names()) or "none"
            raise InputError(
                f"There is neither a table {path} nor a folder with one ({self.home} has {there}); "
                f"correct dataset.data_dir or dataset.{option}{share}."
            )
        return [self._table(file) for file in files]

    def metadata(self, folder: Path) -> Path | None:
        """Return the table of a folder that has the Hub's name for it.

        :raises InputError: if there are two.
        """
        candidates = (find_file(folder / name) for name in METADATA)
        there = [path for path in candidates if path is not None]
        if len(there) > 1:
            raise InputError(
                f"The folder {folder} must have one of the files {' and '.join(METADATA)}, but has "
                "both; keep one of them."
            )
        return there[0] if there else None

    def _path(self, name: str) -> Path:
        return self.home / Path(name).expanduser()

    def is_split(self, path: Path) -> bool:
        """Whether it is a folder with a table in it."""
        if not path.is_dir():
            return False
        return is_kaldi(path) or self.metadata(path) is not None

    def _in_folder(self, folder: Path) -> Table:
        """Return the table of a folder that :meth:`is_split` accepts."""
        table = self.metadata(folder)
        if table is not None:
            return self._table(table)._replace(complete=folder)
        roots = [*self._files(), folder, self.home, self.home.absolute().parent]
        return Table(folder.name, WholeFile(folder, read_kaldi), roots)

    def _table(self, path: Path) -> Table:
        """Return a table, which is read as its name says."""
        plain = path.with_suffix("") if path.suffix in COMPRESSED else path
        name = plain.name.lower()
        rows: RowFile = TableFile(path, self.form)
        if name.endswith((".jsonl", ".json")):
            rows = open_json_file(path)
        elif self.form.delimiter is None and name.endswith(".lst"):
            rows = WholeFile(path, read_im2latex)
        elif self.form.delimiter is None and name.endswith((".token", ".token.txt")):
            rows = WholeFile(path, read_flickr_tokens)
        return Table(path.name, rows, [*self._files(), path.parent, self.home])

    def _files(self) -> list[Path]:
        return [] if self.folder is None else [self.home / Path(self.folder).expanduser()]
