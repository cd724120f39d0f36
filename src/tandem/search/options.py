"""Checks of numbers that a user chooses."""

from tandem.core.errors import InputError


def checked_count(key: str, value: int, *, least: int) -> int:
    """The same value; raises InputError if it is no whole number of at least ``least``.

    :param key: where the config has it, such as ``search.width``.
    """
    if type(value) is not int or value < least:
        raise InputError(f"`{key}` must be a whole number of at least {least}, but is {value!r}.")
    return value


def in_range(value: float, low: float, high: float) -> bool:
    """Whether a value is a number between two others or equal to one of them."""
    return type(value) in (int, float) and low <= value <= high
