"""For all tests: one thread, which is fastest at their sizes and keeps sums in one order."""

import functools
import logging
import signal
from collections.abc import Callable, Iterator

import omegaconf.base
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.config.overrides import whole_mappings
from tandem.search import Search

DEVICES = ["cpu"]
if torch.cuda.is_available():
    DEVICES.append(pytest.param("cuda", marks=pytest.mark.gpu))

omegaconf.base.parse = functools.lru_cache(4096)(omegaconf.base.parse)
"""An interpolation is parsed once: that took a sixth of a tiny run, for a few texts again and
again, and is the same whoever asks."""
torch.set_num_threads(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a job in the background


@pytest.fixture(scope="session", autouse=True)
def own_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A key of the session's own, by which a run that a test trains is known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))
        yield


@pytest.fixture(autouse=True)
def _no_log_handlers_left_behind() -> Iterator[None]:
    """What a command sets up would write into the stream of a test that is over."""
    yield
    root = logging.getLogger()
    for handler in list(root.handlers):
        if not type(handler).__module__.startswith("_pytest"):
            root.removeHandler(handler)
            handler.close()


@pytest.fixture(scope="session")
def compose_config() -> Callable[..., DictConfig]:
    """Compose a config as the command line does, without running anything: name, overrides."""

    def call(name: str, *overrides: str) -> DictConfig:
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            cfg = compose(name, whole_mappings(overrides), return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        with open_dict(cfg):
            del cfg["hydra"]
        return cfg

    return call


@pytest.fixture(scope="session", params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    """The CPU, and a CUDA device where there is one: ``pytest -m gpu`` selects the latter."""
    return request.param


SMALL_SEARCHES = {
    "beam": {"width": 3},
    "constrained": {"width": 2, "required": [[4, 5]]},
    "diverse": {"width": 4, "groups": 2, "diversity": 0.7},
    "sampling": {"num_samples": 3},
}
"""What differs from ``conf/search`` for a vocabulary of six symbols."""


@pytest.fixture(scope="session")
def small_search() -> Callable[..., Search]:
    """Make a search of ``conf/search``, small: name, other values of its keys."""

    def call(name: str, **changes: object) -> Search:
        config = OmegaConf.load(config_folder() / "search" / f"{name}.yaml")
        search: Search = make(OmegaConf.merge(config, SMALL_SEARCHES.get(name, {}), changes))
        return search

    return call
