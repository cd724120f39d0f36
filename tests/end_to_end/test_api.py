"""Training from Python: the same run, errors and files as on the command line."""

import asyncio
import dataclasses
import json
import logging
import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

import tandem
from tandem.commands import train as command
from tandem.config.folders import config_folder
from tandem.core.errors import InputError, NoRoomError
from tandem.core.parent import MISTAKE_FILE
from tandem.core.stopping import Stopped

QUICK = ("callbacks.attention_maps.count=0", "trainer.max_steps=2")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that ends at once."""
    monkeypatch.setattr(command, "train", lambda cfg, command: {"test/loss": 1.0})


def test_a_run_and_another_of_the_same_config(tiny: tuple[str, ...]) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    config = tandem.compose([*tiny, *QUICK])

    async def in_a_notebook() -> tandem.TrainedRun:
        return tandem.train(config)

    first, second = asyncio.run(in_a_notebook()), tandem.train(config)
    assert (list(root.handlers), root.level) == before
    assert str(first.folder) == config.run.folder
    assert second.folder.name == f"{first.folder.name}-2"
    assert first.metrics["test/loss"] == second.metrics["test/loss"]
    record = json.loads((first.folder / "run.json").read_text())
    assert record["metrics"] == first.metrics
    assert record["command"] == f"tandem train {' '.join([*tiny, *QUICK])}"
    assert "Trained for" in (first.folder / "train.log").read_text()
    assert first.bundle is first.bundle
    assert first.bundle.generate(["a b"]) == second.bundle.generate(["a b"])
    assert repr(first.bundle).startswith("Bundle(GreedySearch, TextFrontend, RecurrentEncoder, ")
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.metrics = {}  # type: ignore[misc]
    longer = [
        *tiny,
        QUICK[0],
        "trainer.max_epochs=2",
        "trainer.max_steps=4",
        f"run.folder={first.folder}",
    ]
    resumed = tandem.train([*longer, "resume=true"])
    assert resumed.folder == first.folder
    assert json.loads((first.folder / "run.json").read_text())["steps"] == 4


def test_in_another_thread(tiny: tuple[str, ...]) -> None:
    runs: list[tandem.TrainedRun] = []
    thread = threading.Thread(target=lambda: runs.append(tandem.train([*tiny, *QUICK])))
    thread.start()
    thread.join()
    assert runs[0].metrics["test/loss"] > 0


def test_what_is_composed_can_be_read_and_not_changed(tmp_path: Path) -> None:
    own = tmp_path / "conf" / "encoder" / "mine.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("_target_: my_parts.Encoder\nsize: ${hidden_size}\n")
    config = tandem.compose(["encoder=mine", "hidden_size=7"])
    assert config.overrides == ("encoder=mine", "hidden_size=7")
    assert config.encoder.size == config["encoder"]["size"] == 7
    assert {**config.encoder} == {"_target_": "my_parts.Encoder", "size": 7}
    assert repr(config.encoder) == "_target_: my_parts.Encoder\nsize: 7"
    assert "size" in dir(config.encoder)
    with pytest.raises(InputError, match=r"compose another one with 'encoder\.size=8' among its"):
        config.encoder.size = 8
    with pytest.raises(InputError, match="cannot be changed"):
        config["hidden_size"] = 8  # type: ignore[index]
    with pytest.raises(AttributeError, match=r"no key encoder\.sise \(did you mean size\?\)"):
        _ = config.encoder.sise
    with pytest.raises(InputError, match="the part encoder of a config"):
        tandem.train(config.encoder)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["attention=aditive"], r"attention=aditive is not an option \(did you mean additive\?\);"),
        (["encoder.num_layer=2"], r"The key encoder\.num_layer does not exist"),
        (["hidden_size=abc"], "`hidden_size` must be a whole number"),
        (["scan"], "The word scan has no key; write dataset=scan"),
        (["seed=1,2"], r"seed=1,2 has several values, .* train in a loop over them"),
        (["--multirun"], "--multirun is a flag of the command line"),
        ("dataset=scan", "The overrides must be a list of texts, but are 'dataset=scan'"),
        ([1], r"The overrides must be a list of texts, but are \[1\]"),
    ],
)
def test_mistakes(overrides: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tandem.compose(overrides)
    assert not list(Path.cwd().iterdir())


def test_a_mistake_in_training() -> None:
    with pytest.raises(InputError, match=r"`num_heads` \(3\) must divide"):
        tandem.train(["encoder=transformer", "encoder.num_heads=3", "run.folder=mine"])
    assert not list(Path.cwd().iterdir())


@pytest.mark.usefixtures("no_training")
def test_each_training_gets_its_own_config() -> None:
    first = tandem.compose(["encoder=lstm"])
    tandem.compose(["encoder=cnn"])
    assert "-lstm-" in str(tandem.train(first).folder)
    assert "-cnn-" in str(tandem.train(["encoder=cnn"]).folder)


@pytest.mark.usefixtures("no_training")
def test_a_program_that_uses_hydra_itself() -> None:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        mine = hydra_compose("train", ["encoder=cnn"], return_hydra_config=True)
        HydraConfig.instance().set_config(mine)
        tandem.train(["encoder=lstm"])
        assert HydraConfig.get().runtime.choices["encoder"] == "cnn"
        assert GlobalHydra.instance().is_initialized()
        assert hydra_compose("train", ["seed=3"]).seed == 3
    HydraConfig.instance().cfg = None


def test_how_a_run_ends_early(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = Path("mine/checkpoints/last.ckpt")
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    config = tandem.compose(["seed=3", "run.folder=mine"])
    endings: list[tuple[BaseException, type[BaseException]]] = [
        (Stopped(2), KeyboardInterrupt),
        (Stopped(15), Stopped),
        (OSError(28, "full"), NoRoomError),
    ]
    for error, raised in endings:
        monkeypatch.setattr(command, "train", Mock(side_effect=error))
        with pytest.raises(raised):
            tandem.train(config)
    again = "tandem.train(['seed=3', 'run.folder=mine', 'resume=true'])"
    assert capsys.readouterr().err == "".join(
        f"{name} stopped the run; continue it with: {again}\n" for name in ("SIGINT", "SIGTERM")
    )


def test_several_processes_from_a_script_that_each_of_them_imports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    message = "put what is to run once under `if __name__ =="
    with pytest.raises(InputError, match=message):
        tandem.train([])
    monkeypatch.setenv(MISTAKE_FILE, str(tmp_path / "mistake"))
    with pytest.raises(SystemExit):  # its launcher raises the error
        tandem.train([])
    assert message in (tmp_path / "mistake").read_text()


def test_importing_and_composing_is_light() -> None:
    code = (
        "import sys, tandem\n"
        "assert 'hydra' not in sys.modules\n"
        "tandem.compose(['dataset=scan'])\n"
        "assert 'train' in dir(tandem)\n"
        "print({'torch', 'numpy', 'lightning'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_the_sentence_alone_in_a_notebook() -> None:
    assert InputError("No.")._render_traceback_() == ["InputError: No."]
