"""Files side by side: one text a line, and line n of each belongs to line n of the others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import final

from tandem.core.errors import InputError
from tandem.data.fingerprints import Fingerprint, file_fingerprint
from tandem.data.rows.base import Column, Offset, Record, RowFile
from tandem.data.text_files import Line, stream_lines


@final
@dataclass(frozen=True)
class SideBySide(RowFile):
    """Files of lines; an offset is a byte of each, and how many lines lie before."""

    paths: Mapping[Column, Path]
    """By the names of the columns that they are."""

    def read(self, start: Offset = ()) -> Iterator[tuple[Record | InputError, Offset]]:
        """See :class:`RowFile`."""
        names, paths = list(self.paths), list(self.paths.values())
        first, second = names[0], names[-1]
        *offsets, number = start or (*(0 for _ in paths), 0)
        files = [
            stream_lines(path, strip=False, offset=offset, number=number)
            for path, offset in zip(paths, offsets, strict=True)
        ]
        label = f"{join_paths(paths)} line "
        for lines in zip_longest(*files):
            if None in lines:
                raise self._unequal(files, lines, number)
            number += 1
            if len(lines) == 2:  # nearly always, and twice as fast as below
                (one, before), (other, behind) = lines
                if type(one) is str and type(other) is str:
                    values = {first: one, second: other}
                    yield Record(f"{label}{number}", values), (before, behind, number)
                    continue
            texts = [text for text, _ in lines]
            bad = [text for text in texts if isinstance(text, InputError)]
            record = Record(f"{label}{number}", dict(zip(names, texts, strict=True)))
            yield bad[0] if bad else record, (*(offset for _, offset in lines), number)

    def fingerprints(self) -> dict[str, Fingerprint]:
        """See :class:`RowFile`."""
        return {str(path): file_fingerprint(path) for path in self.paths.values()}

    def _unequal(
        self,
        files: list[Iterator[tuple[Line, int]]],
        lines: tuple[tuple[Line, int] | None, ...],
        number: int,
    ) -> InputError:
        """What is wrong with files of which some have ended behind a line."""
        counts = [
            f"{path} ({number + (line is not None) + sum(1 for _ in file)} lines)"
            for path, file, line in zip(self.paths.values(), files, lines, strict=True)
        ]
        return InputError(
            f"The files {' and '.join(counts)} must have equally many lines, as line n of one "
            "belongs to line n of the others; check that none was cut or edited alone."
        )


def join_paths(paths: Sequence[Path]) -> str:
    """Return several paths as one, as a shell has it: ``texts/train.{en,de}``."""
    names = [str(path) for path in paths]
    if len(names) == 1:
        return names[0]
    start = _common(names)
    ends = [name.removeprefix(start) for name in names]
    end = _common([name[::-1] for name in ends])[::-1]
    return f"{start}{{{','.join(name.removesuffix(end) for name in ends)}}}{end}"


def _common(names: Sequence[str]) -> str:
    """Return what all begin with."""
    equal = [len(set(letters)) == 1 for letters in zip(*names, strict=False)]
    return names[0][: [*equal, False].index(False)]
