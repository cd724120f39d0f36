"""Activation checkpointing: Chen et al. (2016), section 4, with each layer as a segment."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from tandem.layers.region import regions, wrap_region


def checkpoint_activations(model: nn.Module) -> None:
    """Let the backward pass compute each region anew from its inputs, which alone are kept.

    Losses and gradients stay the same, also with dropout. If the model is to be compiled, too,
    that comes first.
    """
    for module, name, _ in list(regions(model)):
        wrap_region(module, name, _recomputed)


@functools.cache
def _recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose gradient computes it again."""

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        if not torch.is_grad_enabled():
            return function(*arguments)
        return checkpoint(function, *arguments, use_reentrant=False)

    return call
