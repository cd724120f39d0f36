"""What every way of storing rows yields."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Record(NamedTuple):
    """One row as it is stored; what its columns mean is not decided here."""

    place: str
    """For example ``data/train.csv line 3``."""
    values: Mapping[str | int, Any]
    """By the names of the columns, or by their numbers from 0 on where they have none."""
