"""Which methods of a model are computed each as a whole: what can be compiled or recomputed."""

from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any, TypeVar

from torch import nn

Method = TypeVar("Method", bound=Callable[..., Any])
Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]

_COMPILES = "_region_compiles"


def region(*, compiles: bool) -> Callable[[Method], Method]:
    """Mark a method of a module as a region: most often the ``forward`` of a layer.

    A model has several regions alike, such as its layers. They are the units of compilation (once
    for all alike) and of activation checkpointing. The first argument of a region has its rows on
    axis 0 and its positions on axis 1.

    :param compiles: whether a compiler can follow it for any number of positions; one that walks
        over them in Python would be written out for each number.
    """

    def mark(method: Method) -> Method:
        setattr(method, _COMPILES, compiles)
        return method

    return mark


def regions(model: nn.Module) -> Iterator[tuple[nn.Module, str, bool]]:
    """Each module with a region, the method's name, and whether it compiles."""
    for module in model.modules():
        for name in dir(type(module)):
            compiles = getattr(getattr(type(module), name, None), _COMPILES, None)
            if compiles is not None:
                yield module, name, compiles


def wrap_region(module: nn.Module, name: str, wrapper: Wrapper) -> None:
    """Replace a region of one module.

    What is wrapped is the function, not the bound method, so that hooks stay outside of it, a
    copy of the module calls itself, and names of parameters remain.
    """
    setattr(module, name, MethodType(wrapper(getattr(module, name).__func__), module))
