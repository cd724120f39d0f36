"""Multi30k: names of files, downloads, the real set where there is one."""

import gzip
import importlib
from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.data.datasets import multi30k

MODULE = importlib.import_module("tandem.data.datasets.multi30k")  # the function has its name

STEMS = ("train", "val", "test_2016_flickr")


def fill(folder: Path, pattern: str) -> None:
    """Write the three splits of two languages, one line each."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem in STEMS:
        for language in ("en", "de"):
            raw = f"{stem} {language}\n".encode()
            path = folder / pattern.format(stem=stem, language=language)
            path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


@pytest.mark.parametrize(
    ("variant", "folder", "pattern"),
    [
        ("raw", "raw", "{stem}.{language}"),
        ("raw", "raw", "{stem}.{language}.gz"),
        ("raw", "", "{stem}.{language}"),
        ("tok", "tok", "{stem}.{language}"),
        ("tok", "tok", "{stem}.lc.norm.tok.{language}"),
        ("tok", "", "{stem}.lc.norm.tok.{language}.gz"),
    ],
)
def test_names_of_files(tmp_path: Path, variant: str, folder: str, pattern: str) -> None:
    fill(tmp_path / folder, pattern)
    data = multi30k(
        source="de",
        target="en",
        variant=variant,
        data_dir=str(tmp_path),
        strip=True,
        on_bad_example="error",
    )
    assert data["validation"][:] == {"source": ["val de"], "target": ["val en"]}
    assert data["test"][:] == {"source": ["test_2016_flickr de"], "target": ["test_2016_flickr en"]}


@pytest.mark.parametrize(
    ("variant", "pattern"),
    [("raw", "{stem}.{language}.gz"), ("tok", "{stem}.lc.norm.tok.{language}")],
)
def test_download_by_public_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str, pattern: str
) -> None:
    fill(tmp_path / "public" / variant, pattern)
    monkeypatch.setattr(MODULE, "URL", (tmp_path / "public").as_uri())
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    data = multi30k(
        source="en", target="de", variant=variant, data_dir=None, strip=True, on_bad_example="error"
    )
    assert data["train"][:] == {"source": ["train en"], "target": ["train de"]}
    kept = (tmp_path / "cache" / "multi30k" / variant).iterdir()
    assert len([path for path in kept if path.suffix != ".fingerprint"]) == 6


@pytest.mark.parametrize("variant", ["raw", "tok"])
def test_real_set(real_sets: Path, variant: str) -> None:
    data = multi30k(
        source="en",
        target="de",
        variant=variant,
        data_dir=str(real_sets / "multi30k"),
        strip=True,
        on_bad_example="error",
    )
    assert [part.num_rows for part in data.values()] == [29_000, 1_014, 1_000]


def test_missing_language(tmp_path: Path) -> None:
    fill(tmp_path / "tok", "{stem}.{language}")
    with pytest.raises(InputError) as caught:
        multi30k(
            source="en",
            target="cs",
            variant="tok",
            data_dir=str(tmp_path),
            strip=True,
            on_bad_example="skip",
        )
    assert str(caught.value) == (
        f"The folder {tmp_path} must have the file tok/train.cs or train.cs (other names that "
        "would do: train.cs.gz, train.lc.norm.tok.cs, train.lc.norm.tok.cs.gz); correct "
        "dataset.data_dir, or unset it and TANDEM_DATA to download the set."
    )


@pytest.mark.parametrize(
    ("source", "target", "variant", "message"),
    [
        ("en", "it", "raw", "dataset.target (it) must be one of en, de, fr, cs."),
        ("en", "de", "bpe", "dataset.variant (bpe) must be one of raw, tok."),
    ],
)
def test_options_that_do_not_exist(source: str, target: str, variant: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        multi30k(
            source=source,
            target=target,
            variant=variant,
            data_dir=None,
            strip=True,
            on_bad_example="skip",
        )
    assert str(caught.value) == message
