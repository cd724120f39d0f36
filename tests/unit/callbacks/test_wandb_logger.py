"""What a run logs to W&B can be read back from its offline file, without account or network."""

import hashlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from tandem.callbacks import AttentionMaps, SampleTable, TextMetrics
from tandem.core.errors import InputError
from tandem.core.types import Evaluated
from tandem.loggers import Wandb, finish, media_cell
from tandem.loggers.wandb_logger import table
from tandem.metrics import ExactMatch


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder and an environment without any trace of W&B."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    names = ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_API_KEY", "WANDB_MODE", "WANDB_RUN_ID")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    return home


def settings(folder: Path, mode: Any) -> dict[str, Any]:
    return {
        "project": "tandem",
        "entity": None,
        "name": "one",
        "group": None,
        "tags": ["lstm", "additive"],
        "folder": str(folder),
        "mode": mode,
    }


def inspect(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json"]
    (run,) = (folder / "wandb").glob("offline-run-*")
    done = subprocess.run([*command, str(run)], capture_output=True, text=True, check=True)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


@pytest.mark.filterwarnings("ignore")
def test_what_a_run_logs_can_be_read_back(
    tiny_module: Any,
    tiny_loader: Any,
    tiny_trainer: Any,
    tmp_path: Path,
    outside: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "run"
    logger = Wandb(**settings(folder, "offline"))
    watchers = [
        TextMetrics(metrics=[ExactMatch(lowercase=False)]),
        SampleTable(count=2, folder=str(folder)),
        AttentionMaps(count=1, every_n_minutes=0, folder=str(folder)),
    ]
    run = tiny_trainer(logger=logger, callbacks=watchers)
    run.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
    finish([logger], exit_code=0)
    output = capfd.readouterr()
    assert "wandb" not in output.out + output.err

    content = inspect(folder)
    text = json.dumps(content)
    assert content["summary"]["val/exact_match"] == 75.0
    assert content["summary"]["samples/val"]["_type"] == "table-file"
    assert content["summary"]["attention/val-0"]["_type"] == "images/separated"
    assert "exact_match|refs:any|lowercase:no" in text
    (files,) = (folder / "wandb").glob("offline-run-*/files")
    table = json.loads((files / content["summary"]["samples/val"]["path"]).read_text())
    assert table["data"] == [
        [0, "source 0", "wrong", "output 0"],
        [1, "source 1", "output 1", "output 1"],
    ]
    assert len(list(files.glob("media/images/attention/val*.png"))) == 1
    assert not [path for path in outside.rglob("*") if "wandb" in path.name]


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def flac(samples: np.ndarray, rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC")
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_pictures_and_recordings_in_a_table(tmp_path: Path, outside: Path) -> None:
    pictures = [Image.new("RGB", (3, 2), (250, 10, 20)), Image.new("L", (2, 2), 7)]
    wave = np.round(np.sin(np.arange(800) / 9) * 1000).astype(np.int16)
    cells = {
        "image": [media_cell("image", png(picture)) for picture in pictures],
        "audio": [media_cell("audio", flac(wave, rate)) for rate in (8000, 16000)],
    }
    logger = Wandb(**settings(tmp_path, "offline"))
    rows = Evaluated([0, 1], ["a.png", "b.png"], ["x", "y"], [["x"], ["z"]])
    for kind, media in cells.items():
        columns, data = table(rows, media)
        logger.log_table(f"samples/{kind}", columns=columns, data=data, step=1)
    finish([logger], exit_code=0)

    summary = inspect(tmp_path)["summary"]
    staged = [path.read_bytes() for path in (tmp_path / "wandb/artifacts/staging").iterdir()]
    by_digest = {hashlib.sha256(content).hexdigest(): content for content in staged}

    def read(kind: str) -> list[io.BytesIO]:
        """What is in the cells of the table that ``wandb sync`` uploads."""
        assert summary[f"samples/{kind}"]["_type"] == "table-file"
        (content,) = {one for one in staged if one[:1] == b"{" and f"{kind}-file".encode() in one}
        table = json.loads(content)
        assert table["columns"] == ["index", "media", "source", "hypothesis", "reference"]
        assert [[row[0], *row[2:]] for row in table["data"]] == [
            [0, "a.png", "x", "x"],
            [1, "b.png", "y", "z"],
        ]
        assert {row[1]["_type"] for row in table["data"]} == {f"{kind}-file"}
        return [io.BytesIO(by_digest[row[1]["sha256"]]) for row in table["data"]]

    for file, picture in zip(read("image"), pictures, strict=True):
        with Image.open(file) as shown:
            assert shown.convert("RGB").tobytes() == picture.convert("RGB").tobytes()
    for file, rate in zip(read("audio"), (8000, 16000), strict=True):
        samples, shown_rate = soundfile.read(file, dtype="int16")
        assert shown_rate == rate
        assert np.abs(samples.astype(int) - wave).max() <= 1


def test_two_runs_in_one_process_have_their_own_files(tmp_path: Path, outside: Path) -> None:
    for name in ("one", "two"):
        logger = Wandb(**settings(tmp_path / name, "offline"))
        logger.log_metrics({"a": 1.0}, step=1)
        finish([logger], exit_code=0)
        assert inspect(tmp_path / name)["summary"]["a"] == 1.0


def test_a_resumed_run_is_the_same_run(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parts with one id, of which the second is marked as one that goes on."""
    for step in (1, 2):
        logger = Wandb(**settings(tmp_path, "offline"))
        logger.log_metrics({"a": 1.0}, step=step)
        finish([logger], exit_code=0)
        time.sleep(1.1)  # W&B names a folder by the second
    run_id = (tmp_path / "wandb" / "id.txt").read_text().strip()
    parts = sorted((tmp_path / "wandb").glob(f"offline-run-*-{run_id}"))
    assert len(parts) == 2
    assert logger._wandb_init["resume"] == "allow"
    assert logger._id == run_id
    Wandb(**settings(tmp_path / "none", "disabled"))
    assert not list((tmp_path / "none").rglob("id.txt"))
    monkeypatch.setenv("WANDB_RUN_ID", "agents")  # as `wandb agent` does
    assert Wandb(**settings(tmp_path, "offline"))._id is None


def test_the_users_own_folders_come_first(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setenv("WANDB_DATA_DIR", "elsewhere")
    Wandb(**settings(tmp_path, "offline"))
    assert os.environ["WANDB_DATA_DIR"] == "elsewhere"


def test_unknown_mode(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mode \(onlin\) is not a mode of W&B; choose one of off"):
        Wandb(**settings(tmp_path, "onlin"))
