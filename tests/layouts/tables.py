"""Tables, JSON and the formats of `datasets`, as they are published; see lines.py."""

import csv
import json

from datasets import Dataset, DatasetDict

LICENCE = "CC-BY 2.0 (France) Attribution: tatoeba.org #1 (CK) & #2 (x)"


def anki(folder):
    """Anki's pairs of manythings.org: a third column, names of no row, two files in the archive."""
    rows = [(f"Hi {i // 2}.", f'"Hallo {i}!', LICENCE) for i in range(20)]
    table(folder / "deu.txt", rows)
    (folder / "_about.txt").write_text("** Info **\n\nCheck for newest version here:\n")
    return {"train": 18, "validation": 2}, ("Hi 4.", '"Hallo 9!')


def wikipron(folder):
    """WikiPron (Lee et al. 2020): a word and its phonemes, several rows for some words."""
    rows = [(f"word{i}", f"w ɜː d {i}") for i in range(20)]
    table(folder / "eng_latn_uk_broad.tsv", rows)
    return {"train": 18, "validation": 2}, ("word7", "w ɜː d 7")


def msr_paraphrase(folder):
    """Microsoft Research Paraphrase Corpus: a row of names, quotation marks that do not close."""
    names = ("Quality", "#1 ID", "#2 ID", "#1 String", "#2 String")
    for part, count in (("train", 20), ("test", 4)):
        rows = [(1, i, -i, f'He said, "no {part} {i}', f'"No {i}", he said.') for i in range(count)]
        table(
            folder / f"msr_paraphrase_{part}.txt", [names, *rows], encoding="utf-8-sig", end="\r\n"
        )
    return {"train": 18, "validation": 2, "test": 4}, ('He said, "no test 3', '"No 3", he said.')


def cogs(folder):
    """COGS (Kim & Linzen 2020): three columns without names; dev, test and gen beside train."""
    for name, count in (("train", 5), ("dev", 2), ("test", 3), ("gen", 4)):
        rows = [
            (f"A {name} {i} ran .", f"run ( agent = {name} {i} )", "kind") for i in range(count)
        ]
        table(folder / f"{name}.tsv", rows)
    return {"train": 5, "validation": 2, "test": 3}, ("A test 2 ran .", "run ( agent = test 2 )")


def wikimatrix(folder):
    """WikiMatrix (Schwenk et al. 2021): a margin score before the texts, languages behind them."""
    rows = [(f"1.0{i}", f"Satz {i}.", f"Sentence {i}.", "de", "en") for i in range(10)]
    table(folder / "WikiMatrix.v1.de-en.langid.tsv", rows)
    return {"train": 9, "validation": 1}, ("Satz 4.", "Sentence 4.")


def cmudict(folder):
    """CMUdict 0.7b: remarks behind ;;;, two spaces behind the word."""
    words = [f"WORD{i}  W ER1 D {i}" for i in range(10)]
    lines = [";;; # CMUdict", ";;;", *words[:5], ";;; more", *words[5:]]
    (folder / "cmudict-0.7b").write_text("\n".join(lines) + "\n")
    return {"train": 9, "validation": 1}, ("WORD3", "W ER1 D 3")


def e2e(folder):
    """E2E (Novikova et al. 2017): a row a text, several rows for one meaning."""
    for name, count in (("trainset", 4), ("devset", 2), ("testset_w_refs", 3)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["mr", "ref"])
            for i in range(count):
                meaning = f"name[{name}], eatType[pub], area[{i}]"
                writer.writerows([meaning, f"It is {name} {i}, text {text}."] for text in range(3))
    return (
        {"train": 12, "validation": 2, "test": 3},
        ("name[testset_w_refs], eatType[pub], area[1]", "It is testset_w_refs 1, text 0."),
        [f"It is testset_w_refs 1, text {text}." for text in range(3)],
    )


def conala(folder):
    """CoNaLa (Yin et al. 2018): arrays of objects over many lines, null for some values."""
    for name, count in (("train", 10), ("test", 2)):
        rows = [
            {
                "intent": f"How to {name} {i}?",
                "rewritten_intent": None if i % 2 else f"{name} `{i}`",
                "snippet": f"if x:\n    {name}({i})",
                "question_id": i,
            }
            for i in range(count)
        ]
        (folder / f"conala-{name}.json").write_text(json.dumps(rows, indent=4))
    return {"train": 9, "validation": 1, "test": 2}, ("How to test 1?", "if x:\n    test(1)")


def samsum_lines(folder):
    """JSON Lines with three splits, as summarization sets are often given on."""
    for name, count in (("train", 4), ("val", 2), ("test", 2)):
        rows = [
            {"id": i, "dialogue": f"A: {i}\r\nB: {name}", "summary": f"{i}."} for i in range(count)
        ]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
    return {"train": 4, "validation": 2, "test": 2}, ("A: 1\r\nB: test", "1.")


def parquet(folder):
    """A data set of the Hub that was downloaded: Parquet files, several for a split."""
    (folder / "data").mkdir()
    for name in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"):
        rows = {
            "document": [f"{name} {i}" for i in range(3)],
            "summary": [f"s {i}" for i in range(3)],
        }
        Dataset.from_dict(rows).to_parquet(folder / "data" / f"{name}.parquet")
    return {"train": 6, "validation": 3}, ("train-00001-of-00002 2", "s 2")


def arrow(folder):
    """What `save_to_disk` of `datasets` writes."""
    split = Dataset.from_dict({"question": ["q 0", "q 1", "q 2"], "answer": ["a 0", "a 1", "a 2"]})
    DatasetDict({"train": split, "validation": split.select([0])}).save_to_disk(folder)
    return {"train": 3, "validation": 1}, ("q 2", "a 2")


def table(path, rows, encoding="utf-8", end="\n"):
    lines = ["\t".join(map(str, row)) + end for row in rows]
    path.write_bytes("".join(lines).encode(encoding))
