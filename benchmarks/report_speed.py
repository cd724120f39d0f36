"""How long a report of many runs takes to write and to open: python benchmarks/report_speed.py 200.

Makes run folders in the real layout with outputs of 1,000 test rows and curves of 300 points.
Opening is measured in chromium, from the start of loading until the page is laid out.
"""

import json
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROWS = 1000
STEPS = 300
MEASURE = """
<script>
byId("board").getBoundingClientRect();
document.body.replaceChildren(make("pre", { id: "ms" }, String(Math.round(performance.now()))));
</script>
</body>"""
"""Asks for a place on the page, which the browser knows when all of it is laid out."""


def write_run(folder: Path, number: int) -> None:
    """A finished run of the reverse task, right with a probability of its own."""
    chance = random.Random(number)
    parts = {
        "encoder": chance.choice(["gru", "lstm", "cnn", "transformer"]),
        "decoder": chance.choice(["gru", "lstm", "transformer"]),
        "attention": chance.choice(["none", "dot", "additive"]),
    }
    config = {
        "hidden_size": chance.choice([16, 32, 64]),
        "dropout": chance.uniform(0, 0.5),
        "optimizer": {"_target_": "torch.optim.Adam", "lr": 10 ** chance.uniform(-4, -2)},
        "run": {"tags": ["dataset=reverse", *(f"{part}={name}" for part, name in parts.items())]},
        "metric": {
            "bleu": {
                "_target_": "tandem.metrics.BLEU",
                "tokenize": "none",
                "lowercase": False,
                "smooth_method": "exp",
            },
            "exact_match": {"_target_": "tandem.metrics.ExactMatch", "lowercase": False},
        },
        "monitor": {"name": "val/exact_match", "mode": "max"},
    }
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    letters, right = random.Random(0), chance.random()
    with (folder / "test.jsonl").open("w") as file:
        for _ in range(ROWS):
            source = [letters.choice("abcdefgh") for _ in range(8)]
            reference = " ".join(source[::-1])
            hypothesis = reference if chance.random() < right else " ".join(source)
            row = {"source": " ".join(source), "references": [reference], "hypothesis": hypothesis}
            file.write(json.dumps(row) + "\n")
    curve = "".join(f"{step},0,{4 / (1 + step * right):.5f}\n" for step in range(STEPS))
    (folder / "metrics.csv").write_text(f"step,epoch,train/loss\n{curve}")
    metrics = {"test/bleu": 100 * right, "test/exact_match": 100 * right, "test/loss": 1 - right}
    record = {"metrics": metrics, "parameters": 1000 * number, "training_seconds": 10.0}
    (folder / "run.json").write_text(json.dumps(record))


def processor_seconds() -> float:
    """What ended processes have used, which other work on the machine does not change."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(count: int) -> None:
    """Make runs, report them twice and open the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(count):
            write_run(folder / "outputs" / f"run{number:03d}", number)
        command = [sys.executable, "-c", "from tandem.commands.cli import main; main()", "report"]
        command += [str(folder / "outputs"), f"output={folder}/report.html"]
        for what in ("first", "second, with what the first one kept"):
            start, before = time.monotonic(), processor_seconds()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds = time.monotonic() - start
            print(f"{what}: {seconds:.1f} s, processor {processor_seconds() - before:.1f} s")
        page = (folder / "report.html").read_text()
        print(f"page: {len(page) / 2**20:.1f} MB")
        if shutil.which("chromium"):
            (folder / "timed.html").write_text(page.replace("</body>", MEASURE))
            browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
            browser += [f"--user-data-dir={folder}/profile", (folder / "timed.html").as_uri()]
            before = processor_seconds()
            dom = subprocess.run(browser, capture_output=True, text=True, check=True).stdout
            (milliseconds,) = re.findall(r"<pre id=.ms.>([0-9]+)<", dom)
            used = processor_seconds() - before
            print(
                f"opened in {milliseconds} ms; processor {used:.1f} s, chromium's own start with it"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
