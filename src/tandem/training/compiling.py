"""Compiling a model's layers: ``torch.compile``, one layer for all that are alike."""

import functools
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attention
from tandem.core.errors import InputError, reason_of
from tandem.layers.region import regions, wrap_region

logger = logging.getLogger(__name__)


def compile_model(model: nn.Module, backend: str = "inductor") -> None:
    """Let the regions of a model be compiled when they are first called.

    All of one class share a graph, one for any number of rows and positions. Single rows and
    positions, whose sizes would be compiled in, and what needs no gradients are computed as
    before: an evaluation is mostly search, and would wait for graphs of its own.

    :param backend: of ``torch.compile``.
    """
    # Else sizes that are equal at first would have to be so later, too, and a layer that has a
    # float, such as a probability, would be traced twice.
    torch.fx.experimental._config.use_duck_shape = False
    torch._dynamo.config.specialize_float = True
    compiled: set[nn.Module] = set()
    others: set[nn.Module] = set()
    wrapper = functools.cache(functools.partial(_compiled, backend=backend))
    for module, name, compiles in list(regions(model)):
        if compiles and not _walks(module):
            wrap_region(module, name, wrapper)
            compiled.add(module)
        else:
            others.add(module)
    logger.info("Compiled: %s; not compiled: %s", _listed(compiled), _listed(others))


def check_compiler(device: torch.device) -> None:
    """Compile one addition.

    :raises InputError: if that fails, most often because there is no compiler.
    """
    try:
        torch.compile(lambda numbers: numbers + 1, dynamic=True)(torch.zeros(2, device=device))
    except Exception as error:
        raise InputError(
            f"model.compile=true cannot work here, as torch.compile fails on {device.type} "
            f"({reason_of(error)}); install a compiler (g++ for a CPU, Triton for a GPU), or set "
            "model.compile=false."
        ) from error


def _compiled(function: Callable[..., Any], backend: str) -> Callable[..., Any]:
    """The same function, compiled for gradients of more than one row and position."""
    graph = torch.compile(function, dynamic=True, backend=backend)

    @functools.wraps(function)
    def call(module: nn.Module, states: Tensor, *others: Any) -> Any:
        if not torch.is_grad_enabled() or 1 in states.shape[:2]:
            return function(module, states, *others)
        if states._is_view():  # the first layer may read a view, and would have another graph
            states = states.clone()
        return graph(module, states, *others)

    return call


def _walks(module: nn.Module) -> bool:
    """Whether an attention in it goes from position to position."""
    return any(isinstance(part, Attention) and part.walks for part in module.modules())


def _listed(modules: set[nn.Module]) -> str:
    counts = Counter(sorted(type(module).__name__ for module in modules))
    return ", ".join(f"{count} x {name}" for name, count in counts.items()) or "nothing"
