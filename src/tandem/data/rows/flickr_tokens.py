"""Captions of Flickr8k and Flickr30k as published: ``name.jpg#0<TAB>caption``."""

from collections.abc import Iterator
from pathlib import Path

from tandem.core.errors import InputError
from tandem.data.rows.base import Record
from tandem.data.text_files import read_lines


def read_flickr_tokens(path: Path) -> Iterator[Record]:
    """Yield a row for each caption, with the columns ``image`` and ``caption``."""
    for number, line in enumerate(read_lines(path, strip=False), start=1):
        if not line.strip():
            continue
        place = f"{path} line {number}"
        label, tab, text = line.partition("\t")
        name, mark, _ = label.rpartition("#")
        if not tab or not mark:
            raise InputError(
                f"{place} must be a file name, #, the caption's number, a tab and the caption; "
                "correct the line."
            )
        yield Record(place, {"image": name, "caption": text})
