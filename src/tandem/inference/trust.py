"""Builds objects from names in a bundle, of which none may run anything unforeseen."""

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

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
    "search": (Search,),
    "scorer": (Scorer,),
    "rule": (Rule,),
    "metric": (Metric,),
    "dataset": (),
}
"""For each section of a bundle's config the families that its names may come from; a dataset is
one of our functions."""
OWN_PACKAGE = "tandem"
KEYWORDS = ("_target_", "_partial_")


def build_trusted(spec: Any, section: str, trusted: tuple[str, ...]) -> Any:
    """Build what a bundle's config describes.

    Dictionaries with ``_target_`` become objects, or factories if ``_partial_`` is true; all else
    is plain data. A target is accepted only if it *is* a member of one of the section's families
    (or a dataset function) and its code lives in Tandem or in a package that the caller trusts. Of
    such a package a function is accepted as well, and what it makes is held against the families.

    :param spec: plain JSON data.
    :param section: the part of the bundle's config, one of ``SECTIONS``.
    :param trusted: names of packages whose classes may be built, too.
    :raises InputError: if a name is not accepted; nothing was imported for it then.
    """
    if isinstance(spec, list):
        return [build_trusted(item, section, trusted) for item in spec]
    if isinstance(spec, str) and "${" in spec:
        raise InputError(
            f"The bundle's config holds the interpolation {spec!r}, which a bundle must not; it is "
            "damaged or made to run code, so don't use it."
        )
    if not isinstance(spec, dict):
        return spec
    if "_target_" not in spec:
        _refuse_keywords(spec)
        return {key: build_trusted(value, section, trusted) for key, value in spec.items()}
    arguments = {key: value for key, value in spec.items() if key not in KEYWORDS}
    _refuse_keywords(arguments)
    target = resolve(spec["_target_"], section, trusted)
    built = {key: build_trusted(value, section, trusted) for key, value in arguments.items()}
    if inspect.isfunction(target) and section != "dataset":
        target = functools.partial(_made_by, target, spec["_target_"], section)
    if spec.get("_partial_", False):
        return functools.partial(target, **built)
    try:
        return target(**built)
    except TypeError as error:
        raise InputError(
            f"The bundle's options for {spec['_target_']} do not fit this version ({error}); use "
            "the version of Tandem that wrote it."
        ) from error


def resolve(name: Any, section: str, trusted: tuple[str, ...]) -> Any:
    """Return the class or dataset function of that name, if it may stand in the section."""
    parts = name.split(".") if isinstance(name, str) else []
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise _refusal(name)
    package = parts[0]
    if package != OWN_PACKAGE and package not in trusted:
        raise _refusal(name)
    try:
        resolved = getattr(importlib.import_module(".".join(parts[:-1])), parts[-1])
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"The bundle names {name}, which this installation does not have; install the version "
            "that wrote it."
        ) from error
    if not _is_member(resolved, section, (OWN_PACKAGE, *trusted)):
        raise _refusal(name)
    return resolved


def _is_member(resolved: Any, section: str, packages: tuple[str, ...]) -> bool:
    """Whether an object itself, however it was reached, is one that may be built."""
    if not (inspect.isclass(resolved) or inspect.isfunction(resolved)):
        return False
    if resolved.__module__.split(".")[0] not in packages:
        return False
    if inspect.isclass(resolved) and section != "dataset":
        return issubclass(resolved, SECTIONS[section]) and not inspect.isabstract(resolved)
    if resolved.__module__.split(".")[0] != OWN_PACKAGE:
        return True
    if section != "dataset":
        return False
    datasets = importlib.import_module("tandem.data.datasets")
    return any(resolved is getattr(datasets, name) for name in datasets.__all__)


def _made_by(factory: Callable[..., Any], name: str, section: str, **arguments: Any) -> Any:
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
        f"The bundle asks for {name!r}, which is not a part of a model in Tandem or in a trusted "
        "package; if it is your own, pass trusted=[its package], and else don't use the bundle."
    )
