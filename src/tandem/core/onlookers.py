"""An onlooker never ends a run: what only shows or records is left out once it has failed."""

import functools
import inspect
import logging
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

logger = logging.getLogger(__name__)


def guard(
    onlooker: Any, methods: Iterable[str], left_out: Callable[[], None] = lambda: None
) -> None:
    """Let an object's methods do nothing from their first exception on, which is logged.

    :param onlooker: a callback or a logger on which nothing in a run depends.
    :param methods: those that the run calls; one that returns something returns None then.
    :param left_out: called after the exception; nothing that it raises ends the run, either.
    """
    failed = False

    def guarded(name: str) -> Callable[..., Any]:
        method = getattr(onlooker, name)

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal failed
            if failed:
                return None
            try:
                return method(*args, **kwargs)
            except Exception as error:
                failed = True
                with suppress(Exception):
                    left_out()
                report_failure(f"{type(onlooker).__name__}.{name}", error)
                return None

        return call

    for name in methods:
        setattr(onlooker, name, guarded(name))


def public_methods(onlooker: Any) -> list[str]:
    """Names of what can be called from outside, properties aside."""
    cls = type(onlooker)
    return [
        name
        for name in dir(cls)
        if not name.startswith("_") and inspect.isfunction(inspect.getattr_static(cls, name))
    ]


def report_failure(what: str, error: Exception) -> None:
    """Log what failed, why and where."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    logger.warning(
        "%s failed (%s: %s; %s, line %s) and is switched off; the run continues without it",
        what,
        type(error).__name__,
        error,
        place.filename,
        place.lineno,
    )
