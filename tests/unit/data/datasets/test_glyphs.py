"""Characters drawn as pictures: splits, drawings, the cache."""

import importlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from datasets import DatasetDict
from PIL import Image

from tandem.core.errors import InputError
from tandem.data.datasets import glyphs

MODULE = importlib.import_module("tandem.data.datasets.glyphs")  # the function has its name
SANS = "DejaVuSans.ttf"


@pytest.fixture
def few_fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(MODULE, "FONTS", ("STIXGeneralItalic.ttf", "STIXGeneralBolIta.ttf"))
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path))


def everything(data: DatasetDict) -> list[tuple[str, bytes, str]]:
    return [(name, row["source"]["bytes"], row["target"]) for name in data for row in data[name]]


@pytest.mark.usefixtures("few_fonts")
def test_splits() -> None:
    data = glyphs(held_out=40, seed=0)
    names = {split: set(rows["target"]) for split, rows in data.items()}
    assert list(names) == ["train", "validation", "test"]
    assert len(names["validation"]) == len(names["test"]) == 40
    assert len(set.union(*names.values())) == sum(map(len, names.values()))  # no name twice
    assert len(data["test"]) > 50  # in more than one font
    known = {word for name in names["train"] for word in name.split()}
    for split in ("validation", "test"):
        assert {word for name in names[split] for word in name.split()} <= known
    rows = everything(data)
    assert len(rows) > 1500
    assert len({content for _, content, _ in rows}) == len(rows)  # no picture twice
    first = data["train"][0]["source"]
    assert first["path"] is None
    image = Image.open(io.BytesIO(first["bytes"]))
    assert (image.format, image.mode, image.size) == ("PNG", "L", (32, 32))


@pytest.mark.usefixtures("few_fonts")
def test_seed_and_cache(tmp_path: Path) -> None:
    data = glyphs(held_out=10, seed=1)
    files = sorted((tmp_path / "glyphs").rglob("*"))
    assert [file.name for file in files if file.is_file()] == [
        "test.arrow",
        "train.arrow",
        "validation.arrow",
    ]
    stamps = [file.stat().st_mtime_ns for file in files]
    assert everything(glyphs(held_out=10, seed=1)) == everything(data)
    assert [file.stat().st_mtime_ns for file in files] == stamps  # read, not made again
    damaged = next(file for file in files if file.name == "test.arrow")
    damaged.unlink()  # what is mapped stays
    damaged.write_bytes(b"damaged")
    assert everything(glyphs(held_out=10, seed=1)) == everything(data)
    assert everything(glyphs(held_out=10, seed=2)) != everything(data)


@pytest.mark.usefixtures("few_fonts")
def test_goes_on_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "file"))
    data = glyphs(held_out=10, seed=1)
    assert set(data["test"].features) == {"source", "target"}
    assert len(data["test"]) >= 10


@pytest.mark.usefixtures("few_fonts")
@pytest.mark.parametrize("held_out", [0, 5000])
def test_too_few_or_many_held_out(held_out: int) -> None:
    message = rf"^dataset\.held_out \({held_out}\) must be between 1 and \d+, as \d+ characters "
    with pytest.raises(InputError, match=message):
        glyphs(held_out=held_out, seed=0)


def ink(character: str, size: int = 22, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Rows and columns with ink: first and last of each."""
    image = MODULE.draw(MODULE.Glyph(character, SANS), size, shift)
    assert image.size == (32, 32)
    dark = np.argwhere(np.asarray(image) < 128)
    return np.concatenate((dark.min(0), dark.max(0)))


def test_drawings_stand_on_the_line_and_in_the_middle() -> None:
    top, left, bottom, right = ink("H")
    assert bottom == 23  # the row above the baseline
    assert abs((left + right) / 2 - 15.5) <= 1
    assert ink("x")[0] > top  # small letters are lower
    assert ink("'")[2] < ink(",")[0]
    assert ink("p")[2] > 24
    assert (ink("H", shift=(2, -1)) - ink("H")).tolist() == [-1, 2, -1, 2]
    assert ink("H", size=12)[0] > top


def test_large_glyphs_are_made_to_fit() -> None:
    for character in ("ﷲ", "𝌆", "⟿", "Ǻ"):
        top, left, bottom, right = ink(character, size=40, shift=(9, 9))
        assert min(top, left) >= 1
        assert max(bottom, right) <= 30


def test_nothing_to_see() -> None:
    assert MODULE.draw(MODULE.Glyph("\u2003", SANS), 22, (0, 0)) is None


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("A", "latin capital letter a"),
        ("\n", None),
        (" ", None),
        ("\u200d", None),
        ("\ue000", None),
    ],
)
def test_names(character: str, name: str | None) -> None:
    assert MODULE.name_of(character) == name


def test_one_character_of_those_that_look_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Latin A, Greek Alpha and Cyrillic A share one picture in this font; there is no space."""
    monkeypatch.setattr(MODULE, "FONTS", ("DejaVuSansMono.ttf",))
    found = {glyph.character for glyph in MODULE._find()}
    assert {"A", "\N{CYRILLIC CAPITAL LETTER YA}", "\N{GREEK CAPITAL LETTER OMEGA}"} <= found
    alike = {"\N{GREEK CAPITAL LETTER ALPHA}", "\N{CYRILLIC CAPITAL LETTER A}"}
    assert not found & {*alike, " ", "\N{NO-BREAK SPACE}"}


def test_words_stay_known() -> None:
    """Each letter is a word of its own, which one small letter alone cannot lend and keep."""
    small = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    message = (
        "dataset.held_out (1) must be between 1 and 0, as 0 characters have names whose words "
        "training can keep."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        MODULE._divide(small, 1, 0)
    first = [ord("\N{MATHEMATICAL BOLD CAPITAL A}"), ord("\N{MATHEMATICAL ITALIC CAPITAL A}")]
    capitals = [chr(start + place) for start in (ord("A"), *first) for place in range(4)]
    split_of = MODULE._divide([*small, *capitals], 2, 0)
    held_out = [character for character, split in split_of.items() if split != "train"]
    letters = [MODULE.name_of(character)[-1] for character in held_out]
    assert sorted(letters) == ["a", "b", "c", "d"]  # three of each four stay
