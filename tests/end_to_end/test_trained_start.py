"""Training that begins with the weights and tokenizers of another run."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tandem.bundle import load_bundle
from tandem.core.errors import InputError

Run = Callable[..., Any]
RISK = ("hidden_size=32", "risk=self_critical", "trainer.max_epochs=1")


@pytest.fixture(scope="module")
def half_trained(
    tmp_path_factory: pytest.TempPathFactory, compose_config: Run, tiny: tuple[str, ...]
) -> Path:
    """A run with a model that knows some of the task."""
    from tandem.train import train

    folder = tmp_path_factory.mktemp("half_trained") / "run"
    train(compose_config("train", *tiny, *LEARNING, f"run.folder={folder}"))
    return folder
