"""What is made of a config gets plain values."""

from typing import Any

import pytest
from omegaconf import OmegaConf

from tandem.config.instantiate import make

TEXTS = ["${x}", r"a\${x}", r"\\${x", "$x"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_looks_like_an_interpolation_is_a_text(text: str) -> None:
    values: dict[str, Any] = {"a": text, "b": [text, [text]], "c": {"d": text}}
    inner = {"_target_": "builtins.dict", "_partial_": True, "a": text}
    made = make({"_target_": "builtins.dict", **values, "part": inner})
    assert made.pop("part")() == {"a": text}
    assert made == values


def test_interpolations_are_resolved_from_the_whole_config() -> None:
    cfg = OmegaConf.create(
        {"seed": 3, "part": {"_target_": "builtins.dict", "a": "${seed}", "b": r"\${seed}"}}
    )
    assert make(cfg.part, c=4) == {"a": 3, "b": "${seed}", "c": 4}
