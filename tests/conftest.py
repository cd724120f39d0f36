"""For all tests: one thread, which is fastest at their sizes and keeps sums in one order."""

import signal
from collections.abc import Callable

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from tandem.config.launch import config_folder

torch.set_num_threads(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a job in the background


@pytest.fixture(scope="session")
def compose_config() -> Callable[..., DictConfig]:
    """Compose a config as the command line does, without running anything: name, overrides."""

    def call(name: str, *overrides: str) -> DictConfig:
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            cfg = compose(name, list(overrides), return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        with open_dict(cfg):
            del cfg["hydra"]
        return cfg

    return call
