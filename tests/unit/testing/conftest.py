"""Options of ``conf/`` as small parts."""

from collections.abc import Callable
from typing import Any

import pytest
from omegaconf import OmegaConf

from tandem.config.folders import config_folder
from tandem.config.instantiate import make

SMALL = {
    "attention": "additive",
    "bridge": "linear",
    "hidden_size": 8,
    "embedding_size": 8,
    "dropout": 0.3,
    "num_layers": 2,
    "num_heads": 2,
    "feed_forward_size": 16,
    "half_width": 1,
    "patch_size": 4,
    "stage_sizes": [4, 6],
    "channels": 3,
    "image_height": 16,
    "image_width": 6,
    "num_mels": 6,
    "features": {"image_height": 16, "image_width": 6, "channels": 3, "stack": 1},
    "sampling_alpha": 0.2,
    # rules and searches that name symbols
    "sequences": [[5], [4, 3]],
    "prefix": [4, 5],
    "required": [[4, 5]],
    "num_samples": 3,
    "groups": 2,
    "width": 4,
    "diversity": 0.7,
}
"""Values of keys, wherever an option has them."""


@pytest.fixture(scope="session")
def small_part() -> Callable[[str, str], Any]:
    """Make a part of ``conf/``: group, option."""

    def call(group: str, option: str) -> Any:
        config = OmegaConf.load(config_folder() / group / f"{option}.yaml")
        if len(config) == 1 and "_target_" not in config:  # an option of a list
            (config,) = config.values()
        for key in SMALL.keys() & config.keys() - {"attention", "bridge"}:
            config[key] = SMALL[key]
        for parent in ("attention", "bridge"):
            if parent in config:
                folder = config_folder() / parent
                config[parent] = OmegaConf.load(folder / f"{SMALL[parent]}.yaml")
        return make(OmegaConf.merge(SMALL, {"part": config}).part)

    return call
