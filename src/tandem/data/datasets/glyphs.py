"""Glyphs: characters of the fonts that matplotlib brings along, drawn as pictures, and their names.

The fonts are DejaVu (Bitstream Vera and public domain) and STIX (SIL Open Font License).
"""

import functools
import io
import random
import unicodedata
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import matplotlib
import pyarrow as pa
from datasets import Dataset, DatasetDict
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from tandem.core.errors import InputError
from tandem.data.cache import cache_folder, content_key, keep, read_cached
from tandem.data.datasets.base import SPLITS

RECIPE = "1"
"""Changes whenever the pictures or splits do, so that older ones are not read from the cache."""
FONTS = ("DejaVu*.ttf", "STIXGeneral*.ttf")
SIDE = 32
BASELINE = 24
"""Rows above the line on which characters stand."""
SIZES = range(20, 25)
"""Pixels of the em from which a drawing's size is drawn."""
SHIFT = 2
"""A drawing moves by at most so many pixels along each axis."""
DARK = 128
"""Something to see has at least one pixel darker than this."""
MARGIN = 1
"""Pixels at the edges that stay white."""
KNOWN = 3
"""A held-out name's words occur in at least so many training names."""


@dataclass(frozen=True)
class Glyph:
    """A character as one font draws it."""

    character: str
    font: str


def glyphs(*, held_out: int, seed: int) -> DatasetDict:
    """Draw each character once in each font that has it; the target is its name in lower case.

    Characters of the validation split are in no other split, in no font, and neither are those of
    the test split; the words of their names, though, all occur in training names. A picture that
    a font or two fonts share is drawn once, for the lowest code point: so of ``A`` in Latin, Greek
    and Cyrillic only the Latin one stays, unless some font tells them apart.

    :param held_out: characters of the validation split, and of the test split.
    :param seed: what the splits, sizes and places are drawn from.
    """
    folder = cache_folder() / "glyphs" / _key(held_out, seed)
    stored = _load(folder)
    if stored is not None:
        return stored
    found = _find()
    split_of = _divide(sorted({glyph.character for glyph in found}), held_out, seed)
    seen: set[bytes] = set()
    made = {name: _table(found, split_of, name, seed, seen) for name in SPLITS}
    for name, table in made.items():
        keep(_file(folder, name), _packed(table))
    return _load(folder) or DatasetDict({name: Dataset(table) for name, table in made.items()})


def draw(glyph: Glyph, size: int, shift: tuple[int, int]) -> Image.Image | None:
    """Draw black on white, in the middle and on the baseline; None if there is nothing to see.

    :param size: pixels of the em; less if the glyph would not fit.
    :param shift: pixels to the right and down; less at the edges.
    """
    while True:
        font = _font(glyph.font, size)
        left, top, right, bottom = font.getbbox(glyph.character, anchor="ls")
        if right <= left or bottom <= top:
            return None
        if max(right - left, bottom - top) <= SIDE - 2 * MARGIN:
            break
        size -= 1
    middle = (SIDE - right - left) / 2
    x = _between(MARGIN - left, round(middle) + shift[0], SIDE - MARGIN - right)
    y = _between(MARGIN - top, BASELINE + shift[1], SIDE - MARGIN - bottom)
    image = Image.new("L", (SIDE, SIDE), 255)
    ImageDraw.Draw(image).text((x, y), glyph.character, fill=0, font=font, anchor="ls")
    return image if min(image.tobytes()) < DARK else None


def name_of(character: str) -> str | None:
    """Return the name in lower case; None for what has none, or is no visible sign by itself."""
    if unicodedata.category(character)[0] in "CZ":
        return None
    return unicodedata.name(character, "").lower() or None


def _find() -> list[Glyph]:
    """Return all glyphs whose pictures differ, by code point and font."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    pairs = sorted(
        (code, path.name)
        for pattern in FONTS
        for path in folder.glob(pattern)
        for code, index in FT2Font(str(path)).get_charmap().items()
        if index and name_of(chr(code))
    )
    seen: set[bytes] = set()
    found = []
    for code, font in pairs:
        glyph = Glyph(chr(code), font)
        image = draw(glyph, SIZES[-1], (0, 0))
        if image is not None and image.tobytes() not in seen:
            seen.add(image.tobytes())
            found.append(glyph)
    return found


def _divide(characters: list[str], held_out: int, seed: int) -> dict[str, str]:
    """Return the split of each character."""
    names = {character: set(str(name_of(character)).split()) for character in characters}
    occurrences = Counter(word for words in names.values() for word in words)
    shuffled = list(characters)
    random.Random(seed).shuffle(shuffled)
    chosen = []
    for character in shuffled:
        if all(occurrences[word] > KNOWN for word in names[character]):
            chosen.append(character)
            occurrences.subtract(names[character])
    if not 1 <= held_out <= len(chosen) // 2:
        raise InputError(
            f"dataset.held_out ({held_out}) must be between 1 and {len(chosen) // 2}, as "
            f"{len(chosen)} characters have names whose words training can keep."
        )
    split_of = dict.fromkeys(characters, "train")
    split_of.update(dict.fromkeys(chosen[:held_out], "validation"))
    split_of.update(dict.fromkeys(chosen[held_out : 2 * held_out], "test"))
    return split_of


def _table(
    found: list[Glyph], split_of: dict[str, str], split: str, seed: int, seen: set[bytes]
) -> pa.Table:
    """Draw the glyphs of one split; no picture that was seen comes again."""
    generator = random.Random(f"{seed} {split}")
    sources, targets = [], []
    for glyph in (glyph for glyph in found if split_of[glyph.character] == split):
        shift = (generator.randint(-SHIFT, SHIFT), generator.randint(-SHIFT, SHIFT))
        image = draw(glyph, generator.choice(SIZES), shift)
        if image is not None and image.tobytes() not in seen:
            seen.add(image.tobytes())
            sources.append({"path": None, "bytes": _png(image)})
            targets.append(name_of(glyph.character))
    file = pa.struct([("path", pa.string()), ("bytes", pa.binary())])
    return pa.table({"source": pa.array(sources, file), "target": pa.array(targets, pa.string())})


@functools.cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font of matplotlib's, without any shaping of neighbours."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _between(least: float, value: float, most: float) -> int:
    """Return the value, or the limit that it passes."""
    return int(max(least, min(value, most)))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _key(held_out: int, seed: int) -> str:
    """A name that changes with all that the pictures and splits follow from."""
    versions = (f"{name} {version(name)}" for name in ("matplotlib", "pillow"))
    return content_key(RECIPE, unicodedata.unidata_version, *versions, f"{held_out} {seed}")


def _file(folder: Path, split: str) -> Path:
    return folder / f"{split}.arrow"


def _packed(table: pa.Table) -> bytes:
    """Return the table in Arrow's stream format, which :meth:`Dataset.from_file` maps."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=1000)
    return bytes(sink.getvalue())


def _load(folder: Path) -> DatasetDict | None:
    """Map what was drawn before; None if it is not there, or damaged."""
    files = {name: _file(folder, name) for name in SPLITS}
    if any(read_cached(file) is None for file in files.values()):
        return None
    return DatasetDict({name: Dataset.from_file(str(file)) for name, file in files.items()})
