"""How a run's model is computed may change on the way; it is no part of what the run leaves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from tandem.commands import train

Run = Callable[..., Any]


def test_a_run_goes_on_otherwise_computed(
    train_tiny: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(train, "check_compiler", lambda device: None)  # which takes long
    same = ("encoder=gru", "decoder=gru", "dropout=0.3")
    train_tiny(tmp_path / "straight", *same, "trainer.max_epochs=2")
    train_tiny(tmp_path / "run", *same, "model.compile=true", "model.checkpointing=true")
    train_tiny(tmp_path / "run", *same, "trainer.max_epochs=2", "resume=true")
    weights, networks = zip(
        *(
            (
                load_file(folder / "model.safetensors"),
                json.loads((folder / "config.json").read_text())["model"],
            )
            for folder in (tmp_path / "straight" / "bundle", tmp_path / "run" / "bundle")
        ),
        strict=True,
    )
    assert networks[0] == networks[1]
    assert not {"compile", "checkpointing"} & networks[0]["model"].keys()
    assert all((weights[1][name] == weight).all() for name, weight in weights[0].items())
