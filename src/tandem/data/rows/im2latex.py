"""im2latex-100k: lists of pictures whose formulas are lines of another file, Deng et al. (2017)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError
from tandem.data.rows.base import Column, Record
from tandem.data.text_files import read_lines

FORMULAS = ("im2latex_formulas.lst", "formulas.norm.lst", "formulas.lst")
"""As published, and as the authors' preprocessing writes them."""
PUBLISHED = re.compile(r"(?P<formula>\d+)\s+(?P<image>\S+)\s+\S+")
PREPROCESSED = re.compile(r"(?P<image>\S+)\s+(?P<formula>\d+)")


def read_im2latex(path: Path) -> Iterator[Record]:
    """Yield a row for each line ``formula_number image_name render_type``, or ``image number``.

    Formulas are numbered from 0 on; the columns are ``image`` and ``formula``.
    """
    formulas = _read_formulas(_formulas(path))
    for number, line in enumerate(read_lines(path, strip=False), start=1):
        if not line.strip():
            continue
        place = f"{path} line {number}"
        match = PUBLISHED.fullmatch(line.strip()) or PREPROCESSED.fullmatch(line.strip())
        if match is None:
            raise InputError(
                f"{place} must be the formula's number, the picture's name and how it is "
                "rendered; correct the line."
            )
        if int(match["formula"]) >= len(formulas):
            raise InputError(
                f"{place} names formula {match['formula']}, but {_formulas(path)} has "
                f"{len(formulas)}, numbered from 0 on; get both files of one release."
            )
        values: dict[Column, Any] = {
            "image": match["image"],
            "formula": formulas[int(match["formula"])],
        }
        yield Record(place, values)


def _read_formulas(path: Path) -> list[str]:
    """Return all formulas; the published file is in ISO 8859-1."""
    try:
        return read_lines(path, strip=False)
    except InputError:
        text = path.read_bytes().decode("latin-1").replace("\r\n", "\n")
        return text.removesuffix("\n").split("\n")


def _formulas(path: Path) -> Path:
    """Return the file of formulas that lies beside a list."""
    for name in FORMULAS:
        if path.with_name(name).is_file():
            return path.with_name(name)
    raise InputError(
        f"The folder {path.parent} must have one of the files {', '.join(FORMULAS)} beside "
        f"{path.name}; put it there."
    )
