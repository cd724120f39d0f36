"""Builds objects from names in a bundle, of which none may run anything unforeseen."""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from torch import nn

from tandem.attentions import Attention
from tandem.bridges import Bridge
from tandem.core.errors import InputError
from tandem.data.features import Features
from tandem.data.readers import SourceReader
from tandem.decoders import Decoder
from tandem.encoders import Encoder
from tandem.frontends import Frontend
from tandem.metrics.base import Metric
from tandem.search import Search
from tandem.search.rules import Rule
from tandem.search.scorers import Scorer

SECTIONS: dict[str, tuple[type, ...]] = {
    "reader": (SourceReader,),
    "features": (Features,),
    "model": (Frontend, Encoder, Decoder, Attention, Bridge),
    "module": (nn.Module,),
    "search": (Search,),
    "scorer": (Scorer,),
    "rule": (Rule,),
    "metric": (Metric,),
    "dataset": (),
}
"""For each section of a bundle's config the families that its names may come from; a dataset is
one of our functions, and a module, which stands inside a model's part, is never ours."""
OWN_PACKAGE = "tandem"
KEYWORDS = ("_target_", "_partial_")
LONGEST_NAME = 200
PLAIN = (int, str, bool, NoneType)
LARGEST_NUMBER = 2**53
"""Of whole numbers; larger ones are no floats, and soon no tensors."""


def build_trusted(spec: Any, section: str, trusted: tuple[str, ...]) -> Any:
    """Build what a bundle's config describes.

    Dictionaries with ``_target_`` become objects, or factories if ``_partial_`` is true; all else
    is plain data. A target is accepted only if it *is* a member of one of the section's families
    (or a dataset function) and its code lives in Tandem or in a package that the caller trusts. Of
    such a package a function is accepted as well, and what it makes is held against the families.
    Where a part of ours takes any ``nn.Module``, a classmethod of one in that package is, too.
    Options of Tandem's own parts must have the types that these state.

    :param spec: plain JSON data.
    :param section: the part of the bundle's config, one of ``SECTIONS``.
    :param trusted: packages or modules whose classes may be built, too; see :func:`resolve`.
    :raises InputError: if a name is not accepted; nothing was imported for it then.
    """
    if isinstance(spec, list):
        return [build_trusted(item, section, trusted) for item in spec]
    if isinstance(spec, str) and "${" in spec:
        raise InputError(
            f"The bundle's config holds the interpolation {spec!r}, which a bundle must not; it is "
            "damaged or made to run code, so don't use it."
        )
    if type(spec) is int and abs(spec) > LARGEST_NUMBER:
        raise InputError(
            f"The bundle's config holds the number {str(spec)[:20]}..., which no option has; it is "
            "damaged, so don't use it."
        )
    if not isinstance(spec, dict):
        return spec
    if "_target_" not in spec:
        _refuse_keywords(spec)
        return {key: build_trusted(value, section, trusted) for key, value in spec.items()}
    arguments = {key: value for key, value in spec.items() if key not in KEYWORDS}
    _refuse_keywords(arguments)
    target = resolve(spec["_target_"], section, trusted)
    built = {
        key: build_trusted(value, _section_of(target, key, section), trusted)
        for key, value in arguments.items()
    }
    if section != "dataset" and target.__module__.partition(".")[0] == OWN_PACKAGE:
        _check_types(spec["_target_"], target, built)
    if not inspect.isclass(target) and section != "dataset":
        target = functools.partial(_made_by, target, spec["_target_"], section)
    if spec.get("_partial_", False):
        return functools.partial(target, **built)
    try:
        return target(**built)
    except (TypeError, ValueError, ArithmeticError) as error:
        if isinstance(error, InputError):
            raise
        raise _unfit(spec["_target_"], str(error)) from error


def resolve(name: Any, section: str, trusted: tuple[str, ...]) -> Any:
    """Return the class or dataset function of that name, if it may stand in the section.

    A bundle may say what is taken out of a module, but not which modules are run: of a trusted
    package only the package itself is imported. What is defined in a module that this does not
    import is found if the module is trusted by its own name.

    :param trusted: packages, or modules such as ``my_package.encoders``.
    """
    parts = name.split(".") if isinstance(name, str) and len(name) <= LONGEST_NAME else []
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise _refusal(name)
    module = ".".join(parts[:-1])
    if parts[0] == OWN_PACKAGE:
        imported = module
    else:
        within = [one for one in trusted if f"{module}.".startswith(f"{one}.")]
        if not within:
            raise _refusal(name)
        imported = max(within, key=len)
    packages = (OWN_PACKAGE, *(one.partition(".")[0] for one in trusted))
    try:
        importlib.import_module(imported)
        if section == "module" and (method := _class_method(parts, packages)) is not None:
            return method
        if module not in sys.modules:
            raise InputError(
                f"The bundle asks for {name!r}, but importing {imported} does not import {module}; "
                f"if that is your own, pass trusted=[{module}], and else don't use the bundle."
            )
        resolved = getattr(sys.modules[module], parts[-1])
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"The bundle names {name}, which this installation does not have; install the version "
            "that wrote it."
        ) from error
    if not _is_member(resolved, section, packages):
        raise _refusal(name)
    return resolved


def _is_member(resolved: Any, section: str, packages: tuple[str, ...]) -> bool:
    """Whether an object itself, however it was reached, is one that may be built."""
    if not (inspect.isclass(resolved) or inspect.isfunction(resolved)):
        return False
    package = resolved.__module__.partition(".")[0]
    if package not in packages or (package == OWN_PACKAGE and section == "module"):
        return False
    if inspect.isclass(resolved) and section != "dataset":
        return issubclass(resolved, SECTIONS[section]) and not inspect.isabstract(resolved)
    if package != OWN_PACKAGE:
        return True
    if section != "dataset":
        return False
    datasets = importlib.import_module("tandem.data.datasets")
    return any(resolved is getattr(datasets, name) for name in datasets.__all__)


def _class_method(parts: Sequence[str], packages: Sequence[str]) -> Any:
    """What ``package.Class.method`` names, if that is a public classmethod that makes a module.

    Both class and method must be of a package in question: what the class inherits from another
    one is not.
    """
    *module, name, method = parts
    owner = getattr(sys.modules.get(".".join(module)), name, None)
    if not (inspect.isclass(owner) and issubclass(owner, nn.Module)) or method.startswith("_"):
        return None
    bound = getattr(owner, method, None)
    if not (inspect.ismethod(bound) and bound.__self__ is owner):
        return None
    homes = {one.__module__.partition(".")[0] for one in (owner, bound.__func__)}
    return bound if homes <= {*packages} - {OWN_PACKAGE} else None


def _section_of(target: Any, key: str, section: str) -> str:
    """The section of what one of a part's arguments describes."""
    if section != "model" or target.__module__.partition(".")[0] != OWN_PACKAGE:
        return section
    return "module" if get_type_hints(target.__init__).get(key) is nn.Module else section


def _check_types(name: str, target: Callable[..., Any], options: dict[str, Any]) -> None:
    """Refuse options whose types are others than the part states."""
    stated = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    for key, value in options.items():
        if key in stated and not _is_of(value, stated[key]):
            raise _unfit(name, f"`{key}` must be {_written(stated[key])}, but is {value!r:.60}")


def _is_of(value: Any, stated: Any) -> bool:
    """Whether a value is of a type, as far as that is plain data."""
    if stated is float:
        return type(value) in (int, float)
    if stated is bool and type(value) is int:
        return value in (0, 1)
    if stated in PLAIN:
        return type(value) is stated
    origin, of = get_origin(stated), get_args(stated)
    if origin in (Union, UnionType):
        return any(_is_of(value, one) for one in of)
    if origin in (list, Sequence):
        return type(value) is list and all(_is_of(item, *of) for item in value)
    if origin is Callable:
        return callable(value)
    return True


def _written(stated: Any) -> str:
    return stated.__name__ if isinstance(stated, type) else str(stated).replace("typing.", "")


def _unfit(name: str, reason: str) -> InputError:
    return InputError(
        f"The bundle's options for {name} do not fit this version ({reason}); use the version of "
        "Tandem that wrote it."
    )


def _made_by(factory: Callable[..., Any], name: str, section: str, /, **arguments: Any) -> Any:
    """What a trusted function makes, if it is a member of one of the section's families."""
    part = factory(**arguments)
    if not isinstance(part, SECTIONS[section]):
        raise InputError(
            f"The bundle asks for {name!r}, which makes a {type(part).__name__}, but `{section}` "
            f"takes {', '.join(family.__name__ for family in SECTIONS[section])}; use the version "
            "of that package with which the bundle was trained."
        )
    return part


def _refuse_keywords(spec: dict[str, Any]) -> None:
    for key in spec:
        if key.startswith("_"):
            raise InputError(
                f"The bundle's config holds the key {key!r}, which a bundle must not; it is "
                "damaged or made to run code, so don't use it."
            )


def _refusal(name: Any) -> InputError:
    return InputError(
        f"The bundle asks for {name!r:.100}, which is not a part of a model in Tandem or in a "
        "trusted package; if it is your own, pass trusted=[its package], and else don't use the "
        "bundle."
    )
