"""The wheel alone is enough: it trains from an empty folder, and a user's conf/ extends ours."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ("hidden_size=16", "debug=fast", "logger=csv", "run.folder=outputs/run")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
    call([*pip, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)], ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def tandem(wheel, tmp_path_factory):
    """The command of another environment, which has the wheel and borrows the libraries."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    call([*pip, "--no-index", "--no-deps", "--no-warn-script-location", str(wheel)], ROOT)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = call([str(python), "-c", "import tandem; print(tandem.__file__)"], folder)
    assert Path(where.strip()).is_relative_to(folder)
    return folder / "bin" / "tandem"


def call(command, folder):
    hidden = {"PYTHONPATH", "PYTHONHOME", "TANDEM_DATA"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["TANDEM_CACHE"] = str(folder / "cache")
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_holds_configs_and_types_marker(wheel):
    names = set(ZipFile(wheel).namelist())
    paths = [path.relative_to(ROOT) for path in ROOT.glob("conf/**/*.yaml")]
    assert {f"tandem/{path}" for path in paths} <= names
    studies = {f"tandem/studies/{path.name}" for path in ROOT.glob("sweeps/*.yaml")}
    assert studies
    assert studies <= names
    pages = [path for path in (ROOT / "src/tandem/serving/pages").rglob("*") if path.is_file()]
    assert {f"tandem/{path.relative_to(ROOT / 'src/tandem')}" for path in pages} <= names
    assert "tandem/py.typed" in names
    assert all(name.startswith(("tandem/", "tandem_seq2seq-")) for name in names)


def test_says_what_it_is(wheel):
    (name,) = (name for name in ZipFile(wheel).namelist() if name.endswith("/METADATA"))
    metadata = ZipFile(wheel).read(name).decode()
    for line in ("Keywords: ", "Classifier: Typing :: Typed", "License-Expression: Apache-2.0"):
        assert f"\n{line}" in metadata


def test_a_study_that_comes_with_it_is_found_by_its_name(tandem, tmp_path):
    code = "from tandem.config.folders import find_study; print(find_study('g2p').read_text())"
    python = tandem.with_name("python")
    assert call([str(python), "-c", code], tmp_path).startswith("# ")


def test_trains_from_an_empty_folder_and_generates(tandem, tmp_path):
    call([tandem, "train", "dataset=reverse", "dataset.size=200", *SMALL], tmp_path)
    record = json.loads((tmp_path / "outputs/run/run.json").read_text())
    assert "test/exact_match" in record["metrics"]

    (tmp_path / "sources.txt").write_text("a b c\nc b\n")
    output = call([tandem, "generate", "run=outputs/run", "input=sources.txt"], tmp_path)
    assert len(output.splitlines()) == 2


def test_own_configs_extend_ours(tandem, tmp_path):
    for split in ("train", "validation", "test"):
        rows = [f'"{number} {split}","{split} {number}"' for number in range(20)]
        (tmp_path / f"{split}.csv").write_text("\n".join(["question,answer", *rows]) + "\n")
    dataset = tmp_path / "conf/dataset/mine.yaml"
    dataset.parent.mkdir(parents=True)
    dataset.write_text(
        "# @package _global_\n"
        "defaults:\n"
        "  - csv\n"
        "  - override /tokenizer: char\n"
        "dataset:\n"
        "  data_dir: .\n"
        "  source: question\n"
        "  target: answer\n"
    )
    experiment = tmp_path / "conf/experiment/mine.yaml"
    experiment.parent.mkdir()
    experiment.write_text(
        "# @package _global_\n"
        "defaults:\n"
        "  - override /dataset: mine\n"
        "  - override /encoder: cnn\n"
        "encoder:\n"
        "  num_layers: 1\n"
    )
    call([tandem, "train", "experiment=mine", *SMALL], tmp_path)
    config = (tmp_path / "outputs/run/config.yaml").read_text()
    assert "CNNEncoder" in config
    assert "CharTokenizer" in config
    assert "source: question" in config
