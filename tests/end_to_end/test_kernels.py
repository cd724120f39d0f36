"""Which kernels a run takes, whatever begins it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tandem.inference import load_bundle
from tandem.layers import scaled_dot_product


def test_cudnn_attention_is_off_in_training_evaluation_and_generation(
    train_tiny: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked where attention is called; with its gradient, or without."""
    for few in ("FEW_KEYS", "FEW_QUERIES"):  # over few a CPU would not call it
        monkeypatch.setattr(scaled_dot_product, few, 0)
    assert torch.backends.cuda.cudnn_sdp_enabled()
    fused = torch.nn.functional.scaled_dot_product_attention
    calls: Counter[tuple[bool, bool]] = Counter()

    def looked_at(query: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        calls[torch.backends.cuda.cudnn_sdp_enabled(), query.requires_grad] += 1
        return fused(query, *args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", looked_at)
    parts = [f"{part}=transformer" for part in ("encoder", "decoder")]
    heads = [f"{part}.num_heads=2" for part in ("encoder", "decoder", "attention")]
    train_tiny(tmp_path / "run", *parts, "attention=multi_head", *heads)
    assert set(calls) == {(False, True), (False, False)}
    calls.clear()
    load_bundle(tmp_path / "run").generate(["a b"])
    assert set(calls) == {(False, False)}
    assert torch.backends.cuda.cudnn_sdp_enabled()
