"""Tiny sets of pictures and recordings, laid out exactly as the large ones are published."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

RATE = 8000


@dataclass(frozen=True)
class MediaLayout:
    """A tiny set, and what is in it."""

    write: Callable[[Path], None]
    """Writes it into a folder that is there."""
    option: str
    """Of the group ``dataset``."""
    sizes: dict[str, int]
    """Examples of each split."""
    text: str
    """Target of the first training example."""
    file: str
    """Its file, in the folder."""
    overrides: tuple[str, ...] = ()
    """What has to be set besides ``dataset`` and ``dataset.data_dir``."""


def record(path: Path, number: int = 0, seconds: float = 0.25) -> str:
    """Write a tone, which differs from those of other numbers; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(seconds * RATE)) / RATE
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * (300 + 20 * number) * time), RATE)
    return str(path)


def draw(path: Path, number: int = 0) -> str:
    """Write a grey picture, which differs from those of other numbers; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 12), (10 + number, 10 + 2 * number, 200 - number)).save(path)
    return str(path)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines, each with a line feed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def split_folders_of_pictures(folder: Path) -> None:
    """The Hub's imagefolder: metadata.csv in each split's folder."""
    for split, count in (("train", 3), ("validation", 2), ("test", 2)):
        rows = [f'{n:04}.png,"{split}, {n}"' for n in range(count)]
        write_lines(folder / split / "metadata.csv", ["file_name,text", *rows])
        for number in range(count):
            draw(folder / split / f"{number:04}.png", number)


def one_table_of_pictures(folder: Path) -> None:
    """The same with one metadata.csv at the root, whose paths say the split."""
    lines = ["file_name,text"]
    for split, count in (("train", 3), ("validation", 2), ("test", 2)):
        for number in range(count):
            draw(folder / split / f"{number:04}.png", number)
            lines.append(f"{split}/{number:04}.png,{split} {number}")
    write_lines(folder / "metadata.csv", lines)


def one_table_of_recordings(folder: Path) -> None:
    """The Hub's audiofolder with one metadata.jsonl, from which shares are drawn by speaker."""
    rows = []
    for number in range(20):
        record(folder / "data" / f"{number}.wav", number)
        name, speaker = f"data/{number}.wav", f"s{number // 4}"
        rows.append({"file_name": name, "transcription": f"text {number}", "speaker": speaker})
    write_lines(folder / "metadata.jsonl", map(json.dumps, rows))


def any_table_of_recordings(folder: Path) -> None:
    """A table of one's own: other names of columns, files without ending in a folder, splits."""
    lines = ["recording;words;fold"]
    for number in range(9):
        record(folder / "audio" / f"r{number}.wav", number)
        fold = ("train", "train", "dev", "test")[number % 4]
        lines.append(f"r{number};text {number};{fold}")
    write_lines(folder / "speech.csv", lines)


def ljspeech(folder: Path) -> None:
    """LJSpeech-1.1: identity, transcription as printed and normalised, between pipes, no header."""
    lines = []
    for number in range(1, 21):
        record(folder / "wavs" / f"LJ001-{number:04}.wav", number)
        printed = f'He said "No. {number}'
        lines.append(f"LJ001-{number:04}|{printed}|{printed.replace('No.', 'Number')}")
    write_lines(folder / "metadata.csv", lines)
    (folder / "README").write_text("LJ Speech")


COMMON_VOICE = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\t"
    "accents\tvariant\tlocale\tsegment"
)


def common_voice(folder: Path) -> None:
    """cv-corpus: a folder for the language, whose clips are MP3."""
    place, number = folder / "en", 0
    for split, count in (("train", 3), ("dev", 2), ("test", 2)):
        rows = []
        for _ in range(count):
            number += 1
            name = f"common_voice_en_{number}.mp3"
            record(place / "clips" / name, number)
            rows.append(f'c{number}\t{name}\ti{number}\t"Yes," he said.\t\t2\t0\t\t\t\t\ten\t')
        write_lines(place / f"{split}.tsv", [COMMON_VOICE, *rows])


def deepspeech(folder: Path) -> None:
    """DeepSpeech's importers: absolute paths, or relative to the table."""
    for split, count in (("train", 3), ("dev", 2), ("test", 2)):
        lines = ["wav_filename,wav_filesize,transcript"]
        for number in range(count):
            path = record(folder / "clips" / f"{split}{number}.wav", number)
            name = path if number else f"clips/{split}{number}.wav"
            lines.append(f"{name},{Path(path).stat().st_size},{split} number {number}")
        write_lines(folder / f"{split}.csv", lines)


def speechbrain(folder: Path) -> None:
    """SpeechBrain's tables, with its placeholder for the set's folder."""
    for split, count in (("train", 3), ("valid", 2), ("test", 2)):
        lines = ["ID,duration,wav,spk_id,wrd"]
        for number in range(count):
            record(folder / split / f"{number}.wav", number)
            name = f"$data_root/{split}/{number}.wav"
            lines.append(f"{split}-{number},0.25,{name},s{number},{split.upper()} NUMBER {number}")
        write_lines(folder / f"{split}.csv", lines)


def speechbrain_json(folder: Path) -> None:
    """SpeechBrain's JSON: one object with an object for each utterance."""
    for split, count in (("train", 3), ("valid", 2), ("test", 2)):
        rows = {}
        for number in range(count):
            record(folder / split / f"{number}.wav", number)
            wav = f"{{data_root}}/{split}/{number}.wav"
            rows[f"{split}-{number}"] = {"wav": wav, "length": 0.25, "words": f"{split} {number}"}
        (folder / f"{split}.json").write_text(json.dumps(rows, indent=2))


def nemo(folder: Path) -> None:
    """NeMo's manifests: JSON Lines, some rows a part of a longer recording."""
    long = record(folder / "audio" / "long.wav", 9, seconds=2)
    for split, count in (("train", 3), ("dev", 2), ("test", 2)):
        rows = []
        for number in range(count):
            path = record(folder / "audio" / f"{split}{number}.wav", number)
            row = {"audio_filepath": path, "duration": 0.25, "text": f"{split} {number}"}
            if number == 1:
                row |= {"audio_filepath": long, "offset": 0.5, "duration": 0.75}
            rows.append(json.dumps(row))
        write_lines(folder / f"{split}_manifest.json", rows)


def kaldi(folder: Path) -> None:
    """Kaldi's data folders, as recipes make them."""
    for split, count in (("train", 3), ("dev", 2), ("test", 2)):
        place, names = folder / split, [f"s{n}-{split}-{n}" for n in range(count)]
        paths = [record(folder / "wav" / split / f"{n}.wav", n) for n in range(count)]
        scp = [f"{name} {path}" for name, path in zip(names, paths, strict=True)]
        scp[-1] = f"{names[-1]} flac -c -d -s {paths[-1]} |"  # the file is read, not the command
        write_lines(place / "wav.scp", scp)
        write_lines(place / "text", (f"{name} SAYS {n}" for n, name in enumerate(names)))
        write_lines(place / "utt2spk", (f"{name} s{n}" for n, name in enumerate(names)))
        write_lines(place / "spk2utt", (f"s{n} {name}" for n, name in enumerate(names)))


def kaldi_segments(folder: Path) -> None:
    """The same with segments: several utterances in each recording."""
    for split, count in (("train", 4), ("dev", 2), ("test", 2)):
        place, names = folder / split, [f"r{n // 2}-{split}-{n}" for n in range(count)]
        recordings = dict.fromkeys(name.rpartition("-")[0] for name in names)
        wavs = [
            f"{name} {record(folder / 'wav' / f'{name}.wav', n, seconds=2)}"
            for n, name in enumerate(recordings)
        ]
        write_lines(place / "wav.scp", wavs)
        parts = [
            f"{name} {name.rpartition('-')[0]} {n % 2}.25 {n % 2}.75"
            for n, name in enumerate(names)
        ]
        write_lines(place / "segments", parts)
        write_lines(place / "text", (f"{name} part {n}" for n, name in enumerate(names)))
        write_lines(place / "utt2spk", (f"{name} {name[:2]}" for name in names))


def im2latex(folder: Path) -> None:
    """im2latex-100k: the formulas are in ISO 8859-1, and numbered from 0 on."""
    formulas = [rf"\frac{{a}}{{{n}}} \quad + b" for n in range(8)]
    text = "".join(f"{formula}\n" for formula in formulas) + "% \xe9\n"
    (folder / "im2latex_formulas.lst").write_bytes(text.encode("latin-1"))
    number = 0
    for split, count in (("train", 3), ("validate", 2), ("test", 2)):
        lines = []
        for _ in range(count):
            number += 1
            draw(folder / "formula_images" / f"60ee74879{number}.png", number)
            lines.append(f"{number} 60ee74879{number} basic")
        write_lines(folder / f"im2latex_{split}.lst", lines)


def flickr8k(folder: Path) -> None:
    """As the authors' two archives unpack."""
    rows = []
    for number in range(1, 6):
        draw(folder / "Flicker8k_Dataset" / f"{number}_a.jpg", number)
        rows += [f"{number}_a.jpg#{k}\tA dog , number {number} , caption {k} ." for k in range(5)]
    texts = folder / "Flickr8k_text"
    write_lines(texts / "Flickr8k.token.txt", rows)
    write_lines(texts / "Flickr_8k.trainImages.txt", ["1_a.jpg", "2_a.jpg"])
    write_lines(texts / "Flickr_8k.devImages.txt", ["3_a.jpg"])
    write_lines(texts / "Flickr_8k.testImages.txt", ["4_a.jpg", "5_a.jpg"])


def flickr8k_kaggle(folder: Path) -> None:
    """As on Kaggle: Images and captions.txt, without lists of splits."""
    lines = ["image,caption"]
    for number in range(10):
        draw(folder / "Images" / f"{number}_a.jpg", number)
        lines += [f'{number}_a.jpg,"A dog , number {number} , caption {k} ."' for k in range(5)]
    write_lines(folder / "captions.txt", lines)


def coco_official(folder: Path) -> None:
    """annotations/captions_*2017.json and the pictures' folders."""
    for split, count in (("train2017", 4), ("val2017", 2)):
        images, annotations = [], []
        for number in range(1, count + 1):
            name = f"{number:012}.jpg"
            draw(folder / split / name, number)
            images.append({"id": number, "file_name": name, "height": 12, "width": 20})
            for k in range(5):
                text = f"A cat, {split} {number}, caption {k}.\n"
                annotations.append({"id": len(annotations), "image_id": number, "caption": text})
        content = {"info": {}, "licenses": [], "images": images, "annotations": annotations}
        path = folder / "annotations" / f"captions_{split}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))


def coco_karpathy(folder: Path) -> None:
    """dataset_coco.json beside the pictures' folders."""
    images = []
    splits = ("train", "restval", "val", "test")
    for number, split in enumerate(splits):
        place = "train2014" if split == "train" else "val2014"
        name = f"COCO_{place}_{number:012}.jpg"
        draw(folder / place / name, number)
        sentences = [{"raw": f"A cat, caption {k}. ", "tokens": ["a", "cat"]} for k in range(5)]
        images.append({"filepath": place, "filename": name, "split": split, "sentences": sentences})
    content = {"dataset": "coco", "images": images}
    (folder / "dataset_coco.json").write_text(json.dumps(content))


def librispeech(folder: Path) -> None:
    """LibriSpeech: transcripts in capitals beside the recordings of a chapter."""
    for part, count in (("train-clean-100", 3), ("dev-clean", 2), ("test-clean", 2)):
        place = folder / part / "84" / "121123"
        names = [f"84-121123-{n:04}" for n in range(count)]
        for number, name in enumerate(names):
            record(place / f"{name}.flac", number)
        lines = [f"{name} CHAPTER {n}" for n, name in enumerate(names)]
        write_lines(place / "84-121123.trans.txt", lines)


def _sizes(train: int, validation: int, test: int | None = None) -> dict[str, int]:
    sizes = {"train": train, "validation": validation}
    return sizes if test is None else {**sizes, "test": test}


MEDIA_LAYOUTS = {
    "imagefolder": MediaLayout(
        split_folders_of_pictures,
        "imagefolder",
        _sizes(3, 2, 2),
        "train, 0",
        "train/0000.png",
        ("dataset.target=text",),
    ),
    "imagefolder with one table": MediaLayout(
        one_table_of_pictures,
        "imagefolder",
        _sizes(3, 2, 2),
        "train 0",
        "train/0000.png",
        ("dataset.target=text",),
    ),
    "audiofolder with one table": MediaLayout(
        one_table_of_recordings, "audiofolder", _sizes(16, 4), "text 0", "data/0.wav"
    ),
    "any table of recordings": MediaLayout(
        any_table_of_recordings,
        "audiofolder",
        _sizes(5, 2, 2),
        "text 0",
        "audio/r0.wav",
        (
            *("dataset.file=recording", "dataset.target=words", "dataset.split_column=fold"),
            *("dataset.folder=audio", "dataset.ending=.wav", 'dataset.delimiter=";"'),
        ),
    ),
    "ljspeech": MediaLayout(
        ljspeech, "ljspeech", _sizes(18, 2), 'He said "Number 1', "wavs/LJ001-0001.wav"
    ),
    "common_voice": MediaLayout(
        common_voice,
        "common_voice",
        _sizes(3, 2, 2),
        '"Yes," he said.',
        "en/clips/common_voice_en_1.mp3",
    ),
    "deepspeech": MediaLayout(
        deepspeech, "deepspeech", _sizes(3, 2, 2), "train number 0", "clips/train0.wav"
    ),
    "speechbrain": MediaLayout(
        speechbrain, "speechbrain", _sizes(3, 2, 2), "TRAIN NUMBER 0", "train/0.wav"
    ),
    "speechbrain as JSON": MediaLayout(
        speechbrain_json,
        "speechbrain",
        _sizes(3, 2, 2),
        "train 0",
        "train/0.wav",
        ("dataset.target=words",),
    ),
    "nemo": MediaLayout(nemo, "nemo", _sizes(3, 2, 2), "train 0", "audio/train0.wav"),
    "kaldi": MediaLayout(kaldi, "kaldi", _sizes(3, 2, 2), "SAYS 0", "wav/train/0.wav"),
    "kaldi with segments": MediaLayout(
        kaldi_segments, "kaldi", _sizes(4, 2, 2), "part 0", "wav/r0-train.wav#t=0.25,0.75"
    ),
    "im2latex": MediaLayout(
        im2latex,
        "im2latex",
        _sizes(3, 2, 2),
        r"\frac{a}{1} \quad + b",
        "formula_images/60ee748791.png",
    ),
    "flickr8k": MediaLayout(
        flickr8k,
        "flickr8k",
        _sizes(10, 1, 2),
        "A dog , number 1 , caption 0 .",
        "Flicker8k_Dataset/1_a.jpg",
    ),
    "flickr8k of Kaggle": MediaLayout(
        flickr8k_kaggle,
        "flickr8k",
        _sizes(45, 1),
        "A dog , number 0 , caption 0 .",
        "Images/0_a.jpg",
    ),
    "coco_captions, official": MediaLayout(
        coco_official,
        "coco_captions",
        _sizes(15, 1, 2),
        "A cat, train2017 1, caption 0.",
        "train2017/000000000001.jpg",
        ("dataset.layout=official", "dataset.validation_size=1"),
    ),
    "coco_captions of Karpathy": MediaLayout(
        coco_karpathy,
        "coco_captions",
        _sizes(10, 1, 1),
        "A cat, caption 0.",
        "train2014/COCO_train2014_000000000000.jpg",
    ),
    "librispeech": MediaLayout(
        librispeech,
        "librispeech",
        _sizes(3, 2, 2),
        "chapter 0",
        "train-clean-100/84/121123/84-121123-0000.flac",
    ),
}
"""By what identifies a test."""
