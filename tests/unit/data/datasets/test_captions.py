"""Captioned pictures in the layouts that their users have on disk, or that the Hub has."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import Dataset, DatasetDict
from PIL import Image

from tandem.core.errors import InputError
from tandem.data.datasets import coco_captions, emoji, flickr8k, hub_captions, rsicd

SPLITS = ("train", "validation", "test")


def png(brightness: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (2, 2), brightness).save(buffer, "PNG")
    return buffer.getvalue()


def draw(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for brightness, name in enumerate(names):
        (folder / name).write_bytes(png(brightness))


def files(data: DatasetDict, split: str) -> list[str]:
    return [Path(source["path"]).name for source in data[split]["source"]]


def refuses(load: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        load()


# A folder for each split.


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for split in SPLITS:
        draw(tmp_path / split, "a.png", "b.png")
        table = 'file_name,caption\na.png,a dot\nb.png,"a dot, too"\nb.png,another\n'
        (tmp_path / split / "metadata.csv").write_text(table)
    return tmp_path


def test_emoji(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files(emoji(data_dir=str(folders), strip=False, on_bad_example="error"), "test") == [
        "a.png",
        "b.png",
    ]
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    refuses(
        lambda: emoji(data_dir=None, strip=False, on_bad_example="error"),
        "The set emoji has no public home that could be read here; set dataset.data_dir to its "
        "folder, or the environment variable TANDEM_DATA to the folder that has it as `emoji`.",
    )


def test_real_emoji(real_sets: Path) -> None:
    if not (real_sets / "emoji").is_dir():
        pytest.skip("there is no set emoji")
    data = emoji(data_dir=None, strip=False, on_bad_example="error")
    assert {split: len(rows) for split, rows in data.items()} == {
        "train": 3509,
        "validation": 146,
        "test": 131,
    }
    assert data["train"][0]["target"] == "hash key"


def test_rsicd(folders: Path) -> None:
    """A photograph with several rows is so many training pairs, and one row of an evaluation."""
    data = rsicd(data_dir=str(folders), strip=False, on_bad_example="error")
    assert files(data, "train") == ["a.png", "b.png", "b.png"]
    assert files(data, "test") == ["a.png", "b.png"]
    assert data["test"]["references"][1] == ["a dot, too", "another"]


def test_real_rsicd(real_sets: Path) -> None:
    if not (real_sets / "rsicd").is_dir():
        pytest.skip("there is no set rsicd")
    data = rsicd(data_dir=None, strip=False, on_bad_example="error")
    assert {split: len(rows) for split, rows in data.items()} == {
        "train": 17813,
        "validation": 1094,
        "test": 1093,
    }
    assert sum(map(len, data["test"]["references"])) == 3619


# Flickr8k.


LISTS = {
    "Flickr_8k.trainImages.txt": "1.jpg\n2.jpg\n",
    "Flickr_8k.devImages.txt": "3.jpg\n",
    "Flickr_8k.testImages.txt": "4.jpg\n",
}


def flickr_texts(folder: Path, **others: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**LISTS, **others}.items():
        (folder / name).write_text(text)


def load_flickr(folder: Path | str | None, **changes: Any) -> DatasetDict:
    options = {
        **{"validation": "auto", "test": "auto", "seed": 0, "hub": None, "image": "image"},
        **{"captions": ["caption"], "strip": True, "on_bad_example": "error"},
    }
    place = None if folder is None else str(folder)
    return flickr8k(data_dir=place, **{**options, **changes})


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """As the authors' two archives unpack."""
    draw(tmp_path / "Flicker8k_Dataset", *(f"{number}.jpg" for number in range(1, 6)))
    rows = [
        f"{image}.jpg#{number}\tcaption {image} {number} ."
        for image in "12345"
        for number in (0, 1)
    ]
    tokens = "\n".join([*rows, "9.jpg.1#0\tof a picture that does not exist", ""])
    flickr_texts(tmp_path / "Flickr8k_text", **{"Flickr8k.token.txt": tokens})
    return tmp_path


def test_flickr8k_as_published(original: Path) -> None:
    data = load_flickr(original)
    assert files(data, "train") == ["1.jpg", "1.jpg", "2.jpg", "2.jpg"]
    assert data["train"]["target"][:] == [
        "caption 1 0 .",
        "caption 1 1 .",
        "caption 2 0 .",
        "caption 2 1 .",
    ]
    assert files(data, "validation") == ["3.jpg"]
    assert data["test"]["references"][:] == [["caption 4 0 .", "caption 4 1 ."]]


def test_flickr8k_as_a_table(tmp_path: Path) -> None:
    draw(tmp_path / "Images", "1.jpg", "2.jpg", "3.jpg", "4.jpg")
    table = "image,caption\n" + "".join(
        f'{n}.jpg,"One, ""{n}"" ."\n{n}.jpg,Two .\n' for n in "1234"
    )
    flickr_texts(tmp_path, **{"captions.txt": table})
    data = load_flickr(tmp_path)
    assert data["test"]["references"][:] == [['One, "4" .', "Two ."]]
    assert len(data["train"]) == 4


def test_flickr8k_says_what_is_wrong(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = original / "Flickr8k_text"
    (texts / "Flickr_8k.testImages.txt").write_text("4.jpg\n\n8.jpg\n")
    place = texts / "Flickr_8k.testImages.txt"
    missing = original / "Flicker8k_Dataset" / "8.jpg"
    refuses(
        lambda: load_flickr(original),
        f"{place} line 3 names the file {missing}, which does not exist; correct the table, or set",
    )
    assert files(load_flickr(original, on_bad_example="skip"), "test") == ["4.jpg"]
    (texts / "Flickr8k.token.txt").write_text("1.jpg#0 no tab\n")
    refuses(
        lambda: load_flickr(original),
        f"{texts / 'Flickr8k.token.txt'} line 1 must be a file name, #, the caption's number, a",
    )
    (texts / "Flickr8k.token.txt").unlink()
    refuses(
        lambda: load_flickr(original),
        f"The folder {original} must have one of Flickr8k.token.txt, "
        "Flickr8k_text/Flickr8k.token.txt, captions.txt, Flickr8k_text/captions.txt; correct "
        "dataset.data_dir.",
    )
    (texts / "captions.txt").write_text("file,caption\n1.jpg,a\n")
    refuses(
        lambda: load_flickr(original),
        f"{texts / 'captions.txt'} line 2 must have the columns image and caption, but has file,",
    )
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    refuses(
        lambda: load_flickr(None), "The set flickr8k is not on this machine; set dataset.data_d"
    )


# COCO.


def load_coco(folder: Path | None, layout: str, **changes: Any) -> DatasetDict:
    options = {
        "year": 2014,
        "validation_size": 1,
        "seed": 0,
        "hub": None,
        "image": "image",
        "captions": ["caption"],
        "strip": True,
        "on_bad_example": "error",
        **changes,
    }
    return coco_captions(data_dir=None if folder is None else str(folder), layout=layout, **options)


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Both layouts in one folder."""
    draw(tmp_path / "train2014", "t1.jpg", "t2.jpg", "t3.jpg")
    draw(tmp_path / "val2014", "v1.jpg", "v2.jpg", "v3.jpg")
    splits = {"t1": "train", "t2": "train", "v1": "restval", "v2": "val", "v3": "test"}
    images = [
        {
            "filepath": "train2014" if name[0] == "t" else "val2014",
            "filename": f"{name}.jpg",
            "split": split,
            "sentences": [{"raw": f"A {name}. "}, {"raw": "Two."}],
        }
        for name, split in splits.items()
    ]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": images}))
    for name in ("train", "val"):
        content = {
            "images": [{"id": 9 - n, "file_name": f"{name[0]}{n}.jpg"} for n in (1, 2, 3)],
            "annotations": [
                {"image_id": 9 - n, "caption": f"{text} {n}\n"}
                for text in ("one", "another")
                for n in (1, 2, 3)
            ],
        }
        (tmp_path / "annotations").mkdir(exist_ok=True)
        path = tmp_path / "annotations" / f"captions_{name}2014.json"
        path.write_text(json.dumps(content))
    return tmp_path


def test_coco_of_karpathy(coco: Path) -> None:
    data = load_coco(coco, "karpathy")
    assert files(data, "train") == ["t1.jpg", "t1.jpg", "t2.jpg", "t2.jpg", "v1.jpg", "v1.jpg"]
    assert files(data, "validation") == ["v2.jpg"]
    assert files(data, "test") == ["v3.jpg"]
    assert data["test"]["references"][:] == [["A v3.", "Two."]]


def test_coco_as_published(coco: Path) -> None:
    data = load_coco(coco, "official")
    assert files(data, "test") == ["v3.jpg", "v2.jpg", "v1.jpg"]  # by their numbers
    assert data["test"]["references"][0] == ["one 3", "another 3"]
    assert len(data["validation"]) == 1
    assert len(data["train"]) == 4
    assert set(files(data, "train")) | set(files(data, "validation")) == {
        "t1.jpg",
        "t2.jpg",
        "t3.jpg",
    }
    again = {seed: files(load_coco(coco, "official", seed=seed), "validation") for seed in range(9)}
    assert again[0] == files(data, "validation")
    assert len(set(map(str, again.values()))) > 1


def test_coco_says_what_is_wrong(coco: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuses(
        lambda: load_coco(coco, "mine"), "dataset.layout (mine) must be one of karpathy, official."
    )
    refuses(
        lambda: load_coco(coco, "official", validation_size=3),
        "dataset.validation_size (3) must be at least 1 and less than the 3 photographs",
    )
    path = coco / "annotations" / "captions_train2017.json"
    refuses(
        lambda: load_coco(coco, "official", year=2017), f"The file {path} does not exist; correct"
    )
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    refuses(
        lambda: load_coco(None, "karpathy"), "The set coco_captions is not on this machine; set"
    )


# The Hub's layout, from a local folder.


@pytest.fixture(autouse=True)
def _hub_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("hub"))


def hub_folder(folder: Path, rows: dict[str, list[dict[str, Any]]]) -> Path:
    for split, listed in rows.items():
        columns = {key: [row[key] for row in listed] for key in listed[0]}
        made = Dataset.from_dict(columns).cast_column("image", datasets.Image(decode=False))
        made.to_parquet(folder / f"{split}-00000-of-00001.parquet")
    return folder


def picture(brightness: int) -> dict[str, Any]:
    return {"path": f"{brightness}.png", "bytes": png(brightness)}


def load_hub(folder: Path, captions: list[str], **changes: Any) -> DatasetDict:
    options = {**dict(zip(SPLITS, SPLITS, strict=True)), "image": "image", **changes}
    options = {"seed": 0, "strip": False, "on_bad_example": "error", "name": None, **options}
    return hub_captions(path=str(folder), captions=captions, **options)


def test_hub_with_several_columns(tmp_path: Path) -> None:
    rows = [{"image": picture(n), "one": f"one {n}", "two": f"two {n}"} for n in range(3)]
    folder = hub_folder(tmp_path, dict.fromkeys(SPLITS, rows))
    data = load_hub(folder, ["one", "two"])
    assert data["train"]["target"][:] == ["one 0", "one 1", "one 2", "two 0", "two 1", "two 2"]
    contents = [source["bytes"] for source in data["train"]["source"]]
    assert contents == [png(n) for n in (0, 1, 2, 0, 1, 2)]
    assert data["test"]["references"][:] == [[f"one {n}", f"two {n}"] for n in range(3)]
    assert data["test"]["target"][:] == ["one 0", "one 1", "one 2"]
    assert not isinstance(data["test"].features["source"], datasets.Image)
    copied = load_flickr(None, hub=str(folder), captions=["two"])
    assert copied["test"]["target"][:] == ["two 0", "two 1", "two 2"]
    assert load_coco(None, "karpathy", hub=str(folder), captions=["two"])["test"]["target"][0]


def test_shares_of_hub_pictures_keep_equal_ones_together(tmp_path: Path) -> None:
    rows = [{"image": picture(n % 4), "one": f"one {n}", "two": f"two {n}"} for n in range(8)]
    folder = hub_folder(tmp_path, {"train": rows})
    data = load_hub(folder, ["one", "two"], validation=0.25, test=None)
    assert {name: len(split) for name, split in data.items()} == {"train": 12, "validation": 2}
    held, other = data["validation"][:]["source"]
    assert held["bytes"] == other["bytes"]
    assert held["bytes"] not in [source["bytes"] for source in data["train"]["source"]]
    assert all(len(texts) == 2 for texts in data["validation"]["references"])


def test_hub_with_lists_of_captions(tmp_path: Path) -> None:
    rows = [{"image": picture(n), "texts": [f"{n}{k}" for k in range(n)]} for n in (2, 3)]
    data = load_hub(hub_folder(tmp_path, dict.fromkeys(SPLITS, rows)), ["texts"])
    assert data["train"]["target"][:] == ["20", "30", "21", "31", "32"]
    assert [source["bytes"] for source in data["train"]["source"]][-2:] == [png(3), png(3)]
    assert data["validation"]["references"][:] == [["20", "21"], ["30", "31", "32"]]


def test_hub_with_gaps(tmp_path: Path) -> None:
    whole = [{"image": picture(1), "caption": "one"}]
    gaps = [*whole, {"image": None, "caption": "two"}, {"image": picture(3), "caption": " "}]
    folder = hub_folder(tmp_path, {"train": gaps, "validation": whole, "test": whole})
    refuses(
        lambda: load_hub(folder, ["caption"]),
        f"Row 2 of {folder} split train has no picture, but every example needs both; correct the "
        "set or set data.on_bad_example=skip.",
    )
    data = load_hub(folder, ["caption"], on_bad_example="skip")
    assert data["train"]["target"][:] == ["one"]


def test_hub_says_what_is_wrong(tmp_path: Path) -> None:
    rows = [{"image": picture(1), "caption": "one", "number": 3}]
    folder = hub_folder(tmp_path, dict.fromkeys(SPLITS, rows))
    refuses(
        lambda: load_hub(folder, ["text"]),
        f"{folder} split train has no column `text` (its columns are image, caption, number); "
        "correct dataset.captions.",
    )
    refuses(
        lambda: load_hub(folder, ["caption"], image="number"),
        f"The column `number` of {folder} split train must hold pictures, but holds Value(",
    )
    refuses(
        lambda: load_hub(folder, ["number"]),
        f"The captions of {folder} split train must be texts or lists of texts, but row 1 has a",
    )
    refuses(
        lambda: load_hub(folder, ["caption"], test="dev"),
        f"The set {folder} (configuration None, split dev) could not be loaded (",
    )
    refuses(lambda: load_hub(folder, []), "dataset.captions must name at least one column, but is")
