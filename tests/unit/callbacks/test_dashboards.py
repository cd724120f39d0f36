"""What other trackers than W&B get of a run, as they themselves read it back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from tandem.callbacks import AttentionMaps, SampleTable, TextMetrics
from tandem.config import build
from tandem.config.catalogue import config_groups
from tandem.core import extras
from tandem.core.errors import InputError
from tandem.loggers import PACKAGES, CSVLogger, finish
from tandem.metrics import ExactMatch

Compose = Callable[..., DictConfig]
SETTINGS = {"encoder": {"cell": "gru"}, "seed": 0, "groups": {"*.bias": 1}}


@pytest.fixture
def run_twice(
    tiny_module: Any,
    tiny_loader: Any,
    tiny_trainer: Any,
    compose_config: Compose,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[[str], Path]:
    """A run with maps and samples, and one that goes on in its folder with another setting."""

    def run(option: str) -> Path:
        pytest.importorskip(PACKAGES[option])
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path / "run"
        cfg = compose_config("train", f"logger=[{option}]", f"run.folder={folder}")
        for resume in (False, True):
            loggers = build.build_loggers(cfg)
            for logger in loggers:
                logger.log_hyperparams({**SETTINGS, "resume": resume})
            watchers = [
                TextMetrics(metrics=[ExactMatch(lowercase=False)]),
                SampleTable(count=2, folder=str(folder)),
                AttentionMaps(count=1, every_n_minutes=0, folder=str(folder)),
            ]
            trainer = tiny_trainer(logger=loggers, callbacks=watchers)
            trainer.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
            trainer.test(trainer.lightning_module, tiny_loader(2), verbose=False)
            finish(loggers, exit_code=0)
        return folder

    return run


@pytest.mark.filterwarnings("ignore")
def test_tensorboard(run_twice: Callable[[str], Path]) -> None:
    folder = run_twice("tensorboard") / "tensorboard"
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    tags = events.Tags()
    assert {"attention/val-0", "attention/test-0"} <= {*tags["images"]}
    texts = {"config/text_summary", "samples/val/text_summary", "samples/test/text_summary"}
    assert texts <= {*tags["tensors"]}
    shown = events.Tensors("samples/val/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| 0 | source 0 | wrong | output 0 |" in shown
    assert {"val/exact_match", "final/test/exact_match"} <= {*tags["scalars"]}
    plugins = events.summary_metadata
    assert any(one.plugin_data.plugin_name == "hparams" for one in plugins.values())


@pytest.mark.filterwarnings("ignore")
def test_mlflow(run_twice: Callable[[str], Path], tmp_path: Path) -> None:
    folder = run_twice("mlflow")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow.db")
    (experiment,) = (one for one in client.search_experiments() if one.name == "scan")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id == (folder / "mlflow.txt").read_text().strip()
    assert run.info.status == "FINISHED"
    assert run.data.params["encoder.cell"] == "gru"
    assert run.data.params["resume"] == "False"
    assert run.data.metrics["test/exact_match"] == 75.0
    kept = [
        one.path
        for part in ("attention", "samples")
        for one in client.list_artifacts(run.info.run_id, part)
    ]
    assert {"attention/val-0.png", "attention/test-0.png", "samples/val.md"} <= {*kept}


@pytest.mark.parametrize("option", sorted(config_groups()["logger"]))
def test_the_runs_own_record_and_missing_packages(
    option: str, compose_config: Compose, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """metrics.csv is there beside any logger; a package that is missing is told at once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    cfg = compose_config("train", f"logger={option}", f"run.folder={tmp_path}")
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    if option in PACKAGES:
        with pytest.raises(InputError) as caught:
            build.check_loggers(cfg)
        assert str(caught.value) == (
            f"logger={option} needs the package {PACKAGES[option]}, which is not installed; run "
            f"pip install 'tandem-seq2seq[{option}]', or choose another logger."
        )
        return
    build.check_loggers(cfg)
    kinds = [type(one) for one in build.build_loggers(cfg)]
    assert kinds.count(CSVLogger) == (option != "none")
