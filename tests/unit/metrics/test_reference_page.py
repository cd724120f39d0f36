"""``docs/reference/metrics.md`` has each metric, with the signature that it has."""

import re
from pathlib import Path

import pytest

from tandem.config.catalogue import config_groups
from tandem.config.instantiate import make

PAGE = Path(__file__).parents[3] / "docs/reference/metrics.md"


def unversioned(signature):
    """Without what differs between installations, and the number of references."""
    return re.sub(r"version:[\w.]+|nrefs:\w+\|", "", signature)


@pytest.mark.parametrize("name", config_groups()["metric"])
def test_page_states_the_signature(name, compose_config):
    metric = make(compose_config("train", f"metric=[{name}]").metric)[name]
    text = PAGE.read_text(encoding="utf-8")
    section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
    stated = re.search(r"\*\*Signature\*\* `([^`]+)`", section)[1]
    assert unversioned(stated) == unversioned(metric.signature)
    directions = set(metric.directions.values())
    assert ("**Higher is better.**" in section) == (directions == {"max"})
