"""Spelling to phonemes: layout, downloads, bad lines."""

import importlib
from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.data.datasets import g2p

MODULE = importlib.import_module("tandem.data.datasets.g2p")  # the function has its name


def fill(folder: Path, test: str) -> Path:
    """Write one language; the test split is given."""
    for split, text in (("train", "ab\ta b\n"), ("dev", "cd\tc d\n"), ("test", test)):
        (folder / split).mkdir(parents=True)
        (folder / split / f"fre_{split}.tsv").write_text(text)
    return folder


def test_layout(tmp_path: Path) -> None:
    data = g2p(
        language="fre",
        data_dir=str(fill(tmp_path, "été\te t e\n")),
        strip=True,
        on_bad_example="error",
    )
    assert data["validation"][:] == {"source": ["cd"], "target": ["c d"]}
    assert data["test"][:] == {"source": ["été"], "target": ["e t e"]}


def test_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "public", "e\te\n")
    monkeypatch.setattr(MODULE, "URL", (tmp_path / "public").as_uri())
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    data = g2p(language="fre", data_dir=None, strip=True, on_bad_example="error")
    assert data["train"][:] == {"source": ["ab"], "target": ["a b"]}


def test_line_without_a_tab(tmp_path: Path) -> None:
    folder = fill(tmp_path, "a\tb\nword\n")
    with pytest.raises(InputError) as caught:
        g2p(language="fre", data_dir=str(folder), strip=True, on_bad_example="error")
    assert str(caught.value) == (
        f"{folder / 'test' / 'fre_test.tsv'} line 2 has 1 columns where 2 are needed; correct "
        "the row, or dataset.delimiter and dataset.quote."
    )


def test_unknown_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path, "a\tb\n")
    with pytest.raises(InputError) as caught:
        g2p(language="xyz", data_dir=str(folder), strip=True, on_bad_example="error")
    assert str(caught.value) == (
        f"The file {folder / 'train' / 'xyz_train.tsv'} does not exist; correct dataset.data_dir, "
        "or set dataset.language to a language whose files are there (fre)."
    )
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    with pytest.raises(InputError, match=r"dataset\.language \(xyz\) must be one of ady, arm,"):
        g2p(language="xyz", data_dir=None, strip=True, on_bad_example="error")


def test_real_set(real_sets: Path) -> None:
    data = g2p(
        language="kor", data_dir=str(real_sets / "g2p2020"), strip=True, on_bad_example="error"
    )
    assert [part.num_rows for part in data.values()] == [3_600, 450, 450]
