"""Small sets of one's own, one for each task, trained with defaults alone.

python benchmarks/small_sets.py sets=outputs/small_sets data=SETS [only=translation,speech]

``data`` is a folder with the sets scan, g2p2020, debian_synopsis, emoji and fsdd in their published
layouts, of which small ones are cut: as tables, JSON Lines, pictures and recordings, which a user
of 100 examples would have. Each is trained by a command that says where the set is and nothing of
the training. A line of the printed table is a set.
"""

import csv
import itertools
import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPLITS = ("train", "validation", "test")
Row = dict[str, Any]
Sizes = tuple[int, int, int]


@dataclass(frozen=True)
class SmallSet:
    """What is cut, and how it is trained."""

    sizes: Sizes
    """Rows of the three splits."""
    cut: Callable[[Path], list[Row]]
    """Rows of a published set, in the order of its files."""
    write: Callable[[Path, str, list[Row]], None]
    """Writes a split into a folder."""
    options: tuple[str, ...]
    """Which dataset reads it."""
    scores: tuple[str, ...]
    """What the table shows of the test split."""


def scan_commands(data: Path) -> list[Row]:
    """Commands and actions, as a translator has pairs of sentences."""
    lines = (data / "scan" / "simple.train.txt").read_text().splitlines()
    pairs = [line.removeprefix("IN: ").split(" OUT: ") for line in lines]
    return [{"source": source, "target": target} for source, target in pairs]


def hungarian_words(data: Path) -> list[Row]:
    """Letters and phonemes, with a space behind each."""
    lines = (data / "g2p2020" / "train" / "hun_train.tsv").read_text().splitlines()
    pairs = [line.split("\t") for line in lines]
    return [{"source": " ".join(word), "target": phonemes} for word, phonemes in pairs]


LANGUAGE_PACKAGES = re.compile(
    r"dict server/client$|^tesseract-ocr language files|hyphenation patterns|for hunspell|^Apertium"
)


def language_packages(data: Path) -> list[Row]:
    """Descriptions of packages for languages: of dictionaries, of reading and of hyphenation.

    Of their synopses those stay whose words stand in at least five of them, so that the names of
    the languages can be learnt, and of the descriptions all but the numbers, by which a model
    could tell each training pair from the others.
    """
    lines = (data / "debian_synopsis" / "train.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if LANGUAGE_PACKAGES.search(row["summary"])]
    words = [set(re.findall(r"\w+", row["summary"])) for row in rows]
    counts = Counter(itertools.chain.from_iterable(words))
    return [
        row | {"document": re.sub(r"\s*\d+", "", row["document"])}
        for row, own in zip(rows, words, strict=True)
        if all(counts[word] >= 5 for word in own)
    ]


def skin_tones(data: Path) -> list[Row]:
    """Emoji that there are in five colours of skin."""
    return _listed(data / "emoji" / "train", lambda row: row["caption"].endswith("skin tone"))


def digits_of_one_speaker(data: Path) -> list[Row]:
    """The ten digits, each several times."""
    return _listed(data / "fsdd" / "train", lambda row: row["speaker"] == "george")


def _listed(folder: Path, chosen: Callable[[Row], bool]) -> list[Row]:
    with (folder / "metadata.csv").open(newline="") as file:
        return [
            row | {"path": folder / row["file_name"]} for row in csv.DictReader(file) if chosen(row)
        ]


def write_table(folder: Path, split: str, rows: list[Row]) -> None:
    """A table with a line of names."""
    _write_rows(folder / f"{split}.csv", rows)


def write_json_lines(folder: Path, split: str, rows: list[Row]) -> None:
    """An object a line."""
    (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_files(folder: Path, split: str, rows: list[Row]) -> None:
    """A folder of files beside a table of their texts."""
    (folder / split).mkdir()
    for row in rows:
        shutil.copy(row.pop("path"), folder / split / row["file_name"])
    _write_rows(folder / split / "metadata.csv", rows)


def _write_rows(path: Path, rows: list[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


SMALL = (160, 20, 20)
TABLE = ("dataset=csv", "dataset.source=source", "dataset.target=target")
SETS = {
    "translation": SmallSet(SMALL, scan_commands, write_table, TABLE, ("bleu", "chrf")),
    "summarization": SmallSet(
        SMALL,
        language_packages,
        write_json_lines,
        ("dataset=json", "dataset.source=document", "dataset.target=summary"),
        ("bleu", "chrf"),
    ),
    "captioning": SmallSet(
        SMALL, skin_tones, write_files, ("dataset=imagefolder",), ("bleu", "cider")
    ),
    "speech": SmallSet(
        (60, 20, 20), digits_of_one_speaker, write_files, ("dataset=audiofolder",), ("wer", "cer")
    ),
    "more_pairs": SmallSet((2000, 200, 200), hungarian_words, write_table, TABLE, ("bleu", "chrf")),
}


def write_set(chosen: SmallSet, data: Path, folder: Path) -> None:
    """Draw the rows and write the three splits."""
    rows = chosen.cut(data)
    random.Random(0).shuffle(rows)
    folder.mkdir(parents=True)
    first = 0
    for split, size in zip(SPLITS, chosen.sizes, strict=True):
        chosen.write(folder, split, rows[first : first + size])
        first += size


def train(folder: Path, run: Path, options: Sequence[str]) -> tuple[list[str], float]:
    """Train with defaults; the command, and the seconds from its start to its end."""
    command = ["tandem", "train", *options, f"dataset.data_dir={folder}", "logger=csv"]
    start = time.monotonic()
    subprocess.run([*command, f"run.folder={run}"], check=True)
    return command, time.monotonic() - start


def main(arguments: list[str]) -> None:
    """Cut, train and print."""
    options = dict(argument.split("=", 1) for argument in arguments)
    sets, data = Path(options["sets"]), Path(options["data"])
    print(
        "| set | pairs | command | test | steps | epochs | seconds |\n|---|---|---|---|---|---|---|"
    )
    for name in options.get("only", ",".join(SETS)).split(","):
        chosen = SETS[name]
        folder = sets / re.sub(r"\W+", "_", name)
        if not folder.exists():
            write_set(chosen, data, folder)
        command, seconds = train(folder, sets / "runs" / folder.name, chosen.options)
        record = json.loads((sets / "runs" / folder.name / "run.json").read_text())
        scores = ", ".join(
            f"{score} {record['metrics'][f'test/{score}']:.2f}" for score in chosen.scores
        )
        sizes = " / ".join(f"{size:,}" for size in chosen.sizes)
        counts = f"{record.get('steps')} | {record.get('epochs')} | {seconds:.0f}"
        print(f"| {name} | {sizes} | `{' '.join(command)}` | {scores} | {counts} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
