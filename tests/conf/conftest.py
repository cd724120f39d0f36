"""Configs that are composed where no folder of sets is named."""

from collections.abc import Callable

import pytest
from omegaconf import DictConfig


@pytest.fixture
def composed(
    compose_config: Callable[..., DictConfig], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., DictConfig]:
    """Compose a config of the given name with overrides."""
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    return compose_config
