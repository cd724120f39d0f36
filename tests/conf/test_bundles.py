"""What a run's config says of its model comes out of its bundle again, whatever is chosen."""

from collections.abc import Callable
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from tandem.config.build import model_spec
from tandem.config.catalogue import config_groups
from tandem.inference.trust import SECTIONS, build_trusted

GROUPS = config_groups() | {
    "encoder": [name for name in config_groups()["encoder"] if name != "module"]  # needs a package
}
NEEDED = {
    "decoder=pretrained": ["decoder.path=null", "decoder.architecture={model_type: gpt2}"],
    "encoder=pretrained": ["encoder.path=null", "encoder.architecture={model_type: bert}"],
    "frontend=cnn_stem": ["features=pixels"],
    "frontend=patches": ["features=pixels"],
    "frontend=speech": ["features=log_mel"],
    "search=constrained": ["search.required=[[4]]"],
}
"""What a user has to give."""
ALL_TOGETHER = [
    f"metric=[{','.join(GROUPS['metric'])}]",
    "scorer=[coverage,ctc,language_model]",
    "scorer.language_model.path=null",
    "rule=[banned,forced_prefix,min_length,no_repeat_ngram]",
    "rule.banned.sequences=[a dog,[5]]",
    "rule.forced_prefix.prefix=The",
]
ONE_OF = ("frontend", "encoder", "decoder", "attention", "bridge", "search")
"""Of each of these groups one option at a time; the n-th of all of them at once."""


def options(place: int) -> list[str]:
    """The n-th option of each group, and what it needs."""
    chosen = [f"{group}={GROUPS[group][place % len(GROUPS[group])]}" for group in ONE_OF]
    return chosen + [value for option in chosen for value in NEEDED.get(option, [])]


def build_everything(config: dict[str, Any]) -> None:
    """Build all that a bundle's config names but its dataset."""
    for part in model_spec(config).values():
        build_trusted(part, "model", ())
    assert isinstance(build_trusted(config["search"], "search", ()), SECTIONS["search"])
    for section in ("metric", "scorer", "rule"):
        assert config[section]
        for spec in config[section].values():
            assert isinstance(build_trusted(spec, section, ()), SECTIONS[section])
    if config["features"]:
        build_trusted(config["features"], "features", ())


@pytest.mark.parametrize("place", range(max(len(GROUPS[group]) for group in ONE_OF)))
def test_every_option_is_read_from_a_bundle(
    composed: Callable[..., DictConfig], place: int
) -> None:
    cfg = composed("train", "dataset=reverse", *ALL_TOGETHER, *options(place))
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    build_everything({str(key): value for key, value in config.items()})
