"""Layouts of pictures and recordings that are no plain tables: their rows, and what is refused."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.data.rows import Record, WholeFile
from tandem.data.rows.coco import read_coco
from tandem.data.rows.flickr_tokens import read_flickr_tokens
from tandem.data.rows.im2latex import read_im2latex
from tandem.data.rows.json_by_key import read_json_by_key
from tandem.data.rows.json_files import open_json_file
from tandem.data.rows.json_objects import JsonLinesFile
from tandem.data.rows.kaldi import read_kaldi
from tandem.data.rows.karpathy import read_karpathy

Reader = Callable[[Path], Iterator[Record]]


def values(reader: Reader, path: Path) -> list[dict[Any, Any]]:
    return [dict(record.values) for record in reader(path)]


def refusal(reader: Reader, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(reader(path))
    return str(caught.value)


@pytest.fixture
def kaldi(tmp_path: Path) -> Callable[..., Path]:
    """Write a data folder, whose files are given without dots and with their lines."""

    def write(**files: str) -> Path:
        names = {"wav": "wav.scp"}
        for name, text in {"wav": "u1 a.wav\n", "text": "u1 one two\n", **files}.items():
            (tmp_path / names.get(name, name)).write_text(text)
        return tmp_path

    return write


def test_kaldi(kaldi: Callable[..., Path]) -> None:
    folder = kaldi(
        wav="u1 /data/a b.wav\nu2 flac -c -d -s /data/c.flac |\n",
        text="u2 t w o\nu1\n",
        utt2spk="u1 s1\nu2 s1\n",
    )
    assert values(read_kaldi, folder) == [
        {"utterance": "u2", "file": "/data/c.flac", "text": "t w o", "speaker": "s1"},
        {"utterance": "u1", "file": "/data/a b.wav", "text": "", "speaker": "s1"},
    ]
    place = f"{folder}/text line 1 ({folder}/wav.scp line 2)"
    assert next(iter(read_kaldi(folder))).place == place
    folder = kaldi(text="u3 three\n")
    assert str(*read_kaldi(folder)) == (
        f"The utterance u3 of {folder}/text line 1 has no recording u3 in {folder}/wav.scp; add "
        "it, or set data.on_bad_example=skip."
    )


def test_kaldi_segments(kaldi: Callable[..., Path]) -> None:
    folder = kaldi(
        wav="talk a.wav\n",
        text="u1 one\nu2 two\n",
        segments="u1 talk 0.5 2.0\nu2 talk 3 -1\n",
    )
    rows = values(read_kaldi, folder)
    assert [(row["file"], row["begin"], row["duration"]) for row in rows] == [
        ("a.wav", 0.5, 1.5),
        ("a.wav", 3.0, None),
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"wav": "u1 sox a.wav -t wav - |\n"},
            "wav.scp line 1 is a command, which is not run; wri",
        ),
        ({"wav": "u1 sph2pipe -f wav -c 1 a.sph |\n"}, "wav.scp line 1 is a command, which is not"),
        ({"wav": "u1 wavs.ark:51\n"}, "wav.scp line 1 is a place in an archive, which is not read"),
        ({"text": "u1 a\nu1 b\n"}, "text line 2 has the key u1 again, which"),
        ({"segments": "u1 u1 0.1\n"}, "segments line 1 must be an utterance, its recording, and w"),
        ({"segments": "u1 u1 a b\n"}, "segments line 1 must be an utterance, its recording, and w"),
    ],
)
def test_kaldi_refuses(kaldi: Callable[..., Path], files: dict[str, str], message: str) -> None:
    folder = kaldi(**files)
    assert refusal(read_kaldi, folder).startswith(f"{folder}/{message}")


def test_im2latex(tmp_path: Path) -> None:
    formulas = b"a\n\\text{caf\xe9} b\r\nc\x85d\n"  # ISO 8859-1; \x85 ends no line
    (tmp_path / "im2latex_formulas.lst").write_bytes(formulas)
    path = tmp_path / "im2latex_train.lst"
    path.write_text("1 60ee748793 basic\n2 66667cee5b basic\n")
    assert values(read_im2latex, path) == [
        {"image": "60ee748793", "formula": "\\text{café} b"},
        {"image": "66667cee5b", "formula": "c\x85d"},
    ]
    path.write_text("a.png 0\n")  # as preprocessed by the authors
    assert values(read_im2latex, path) == [{"image": "a.png", "formula": "a"}]
    path.write_text("3 a basic\n")
    assert refusal(read_im2latex, path).startswith(
        f"{path} line 1 names formula 3, but {tmp_path}/im2latex_formulas.lst has 3, numbered from"
    )
    path.write_text("a b\n")
    assert refusal(read_im2latex, path).startswith(f"{path} line 1 must be the formula's number,")
    (tmp_path / "im2latex_formulas.lst").unlink()
    assert refusal(read_im2latex, path).startswith(
        f"The folder {tmp_path} must have one of the files im2latex_formulas.lst, formulas.norm"
    )


def test_flickr_tokens(tmp_path: Path) -> None:
    path = tmp_path / "Flickr8k.token.txt"
    path.write_text("a#b.jpg#0\tA  dog .\n\na#b.jpg#1\tTwo\n")
    assert values(read_flickr_tokens, path) == [
        {"image": "a#b.jpg", "caption": "A  dog ."},
        {"image": "a#b.jpg", "caption": "Two"},
    ]
    path.write_text("a.jpg#0 no tab\n")
    assert refusal(read_flickr_tokens, path).startswith(
        f"{path} line 1 must be a file name, #, the caption's number, a tab and the caption;"
    )


@pytest.mark.parametrize(
    ("content", "reader"),
    [
        ('{"images": [], "annotations": []}', read_coco),
        ('{"dataset": "coco", "images": []}', read_karpathy),
        ('{"u1": {"wav": "a.wav"}}', read_json_by_key),
        ('{\n "u1": {"wav": "a.wav"},\n "u2": {"wav": "b.wav"}\n}\n', read_json_by_key),
        ('\ufeff{"audio_filepath": "a.wav"}\n{"audio_filepath": "b.wav"}\n', None),
        ('{"audio_filepath": "a.wav"}', None),
        ('{"broken"', None),
    ],
    ids=["coco", "karpathy", "line of objects", "objects", "lines", "one line", "broken"],
)
def test_the_first_object_tells_the_layout(
    tmp_path: Path, content: str, reader: Reader | None
) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    expected = JsonLinesFile(path) if reader is None else WholeFile(path, reader)
    assert open_json_file(path) == expected


@pytest.mark.parametrize(
    ("reader", "content", "message"),
    [
        (
            read_karpathy,
            {"images": [{"sentences": [], "split": "dev"}]},
            " image 1 has the split 'd",
        ),
        (
            read_karpathy,
            {"images": [{"sentences": []}]},
            " image 1 has no key `split` where one is",
        ),
        (read_karpathy, {"images": [3]}, " image 1 has no key `split` where one is"),
        (read_coco, {"images": 3, "annotations": []}, " must hold a list; correct the file."),
        (
            read_coco,
            {"images": [], "annotations": [{"image_id": 1}]},
            " has no key `caption` where",
        ),
    ],
)
def test_json_without_what_it_needs(
    tmp_path: Path, reader: Reader, content: dict[str, Any], message: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    assert f"{path}{message}" in refusal(reader, path)
    path.write_text('{"images"')
    assert refusal(reader, path).startswith(f"The file {path} is not JSON (")
