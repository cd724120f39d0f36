"""Files of translators and test sets of WMT: TMX, XLIFF, SGML and XML."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, final

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.compressed import open_content, plain_suffix
from tandem.data.datasets.base import folder_or_file
from tandem.data.datasets.texts import load_texts
from tandem.data.layouts import Layout, SplitRows
from tandem.data.locate import contents, find_files, split_files, split_names
from tandem.data.rows import Record, RowFile
from tandem.data.rows.base import WholeFile
from tandem.data.rows.sgm import read_sgm
from tandem.data.rows.side_by_side import SideBySide
from tandem.data.rows.tmx import read_tmx
from tandem.data.rows.translations import Unit, as_records
from tandem.data.rows.wmt_xml import read_wmt_xml
from tandem.data.rows.xliff import read_xliff
from tandem.data.splitting import Part, Splitting
from tandem.data.text_columns import TextColumns
from tandem.data.text_files import explain_failures

Reader: TypeAlias = Callable[[Path], Iterator[Unit]]
READERS: dict[str, Reader] = {
    "tmx": read_tmx,
    "xliff": read_xliff,
    "dataset": read_wmt_xml,
}
"""By the name of a file's outermost element."""
ENDINGS = (".tmx", ".xlf", ".xliff", ".xml")
HALVES = (".sgm", ".sgml", ".xml", "")
"""Of files that hold one language each; without an ending behind the language they are lines."""
ELEMENT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
HEAD = 1 << 12
"""So many bytes hold the first element's name."""


def translations(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    source: str,
    target: str,
    group: str | None,
    strip: bool,
    on_bad_example: str,
) -> DatasetDict:
    """Load units of translation; several translations of one are its references.

    :param data_dir: the folder of the files, or a file.
    :param train: a file such as ``memory.tmx`` (also ``.gz``), a pattern such as ``*.xlf``, or what
        the names of two files of a language each share: ``newstest2014-deen`` for
        ``newstest2014-deen-src.de.sgm`` and ``newstest2014-deen-ref.en.sgm``, ``europarl`` for
        ``europarl.de`` and ``europarl.en``; ``auto``: what has ``train`` in its name, or the only
        one there is.
    :param validation: the same, or a share of the training units; ``auto``: the file that is called
        as the training file but for this word, else a tenth of the training units.
    :param test: the same, but ``auto`` makes no shares; None: there is no test split.
    :param seed: what shares are drawn from.
    :param source: the language of sources; ``en`` is ``en-GB``, too.
    :param target: the language of targets.
    :param group: ``document``: shares are drawn so that a document stays in one split.
    :param strip: whether whitespace at the ends of texts is removed.
    :param on_bad_example: ``error``, or ``skip`` units without one of the languages.
    """
    columns = TextColumns(source=source, target=None, references=target, group=group, strip=strip)
    folder, only = folder_or_file(data_dir)
    layout = TranslationLayout(folder, only, columns, source, target)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    return load_texts(layout, splitting, streaming=False, on_bad_example=on_bad_example)


@final
@dataclass(frozen=True)
class TranslationLayout(Layout):
    """Files that hold both languages, or two files that hold one each."""

    folder: Path
    only: str | None
    """The only file that ``auto`` considers; None: all that are there."""
    columns: TextColumns
    source: str
    target: str

    @property
    def where(self) -> str:
        """See :class:`Layout`."""
        return f"the folder {self.folder}, which has {contents(self.folder)}"

    def names(self) -> list[str]:
        """See :class:`Layout`."""
        if self.only is not None:
            return [self.only]
        sides = [f"{mark}.{self.source}{ending}" for mark in ("-src", "") for ending in HALVES]
        pairs = {
            name: pair
            for name in split_names(self.folder, sides, with_ending=False)
            if (pair := self._pair(name)) is not None
        }
        halves = {path.name for pair in pairs.values() for path in pair}
        whole = split_names(self.folder, ENDINGS, with_ending=True)
        return [*pairs, *(name for name in whole if name not in halves)]

    def has(self, name: str) -> bool:
        """See :class:`Layout`."""
        return bool(find_files(self.folder, name)) or self._pair(name) is not None

    def open(self, split: str, name: str) -> SplitRows:
        """See :class:`Layout`."""
        return SplitRows(list(self._files(split, name)), self.columns)

    def _files(self, split: str, name: str) -> Iterator[RowFile]:
        pair = self._pair(name)
        if pair is None:
            for path in split_files(self.folder, split, name).values():
                yield WholeFile(path, partial(self._records, reader_of(path)))
        elif plain_suffix(pair[0]) in HALVES:
            reader = partial(read_sgm, target=pair[1], languages=(self.source, self.target))
            yield WholeFile(pair[0], partial(self._records, reader))
        else:
            yield SideBySide(dict(zip((self.source, self.target), pair, strict=True)))

    def _records(self, reader: Reader, path: Path) -> Iterator[Record | InputError]:
        return as_records(reader(path), source=self.source, target=self.target)

    def _pair(self, name: str) -> tuple[Path, Path] | None:
        """Return two files of a language each that share a name."""
        for ending in HALVES:
            source = self._half(name, "-src", f".{self.source}{ending}")
            target = self._half(name, "-ref", f".{self.target}{ending}")
            if source is not None and target is not None:
                return source, target
        return None

    def _half(self, name: str, mark: str, ending: str) -> Path | None:
        found = find_files(self.folder, name, mark + ending) or find_files(
            self.folder, name, ending
        )
        return next(iter(found.values()), None)


def reader_of(path: Path) -> Reader:
    """Return what reads a file, as the name of its first element says.

    :raises InputError: if it is none of the kinds, or cannot be read.
    """
    with explain_failures(f"the file {path}"), open_content(path) as content:
        head = content.read(HEAD).replace(b"\0", b"")  # of UTF-16
    first = ELEMENT.search(re.sub(rb"<!--.*?-->", b"", head, flags=re.DOTALL))
    kind = "" if first is None else first[1].decode("ascii")
    if kind in READERS:
        return READERS[kind]
    raise InputError(
        f"The file {path} must be TMX, XLIFF or a test set of WMT in XML, but "
        + (f"its first element is {kind}" if kind else "has no element")
        + "; name another file, or the two files of a test set in SGML by what their names share."
    )
