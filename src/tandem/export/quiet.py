"""Other programs' remarks that are not for users."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet(logger_name: str | None, category: type[Warning]) -> Iterator[None]:
    """Without a logger's lines below errors, and without warnings of a category.

    :param logger_name: None: the one at the root.
    """
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category)
            yield
    finally:
        logger.setLevel(level)
