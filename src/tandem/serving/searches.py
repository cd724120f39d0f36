"""Searches that a request may choose by their names, and the values that their options may have."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tandem.core.errors import InputError, nearest
from tandem.search import Search
from tandem.serving.errors import RequestError

WIDTHS = ("width", "num_samples")
"""Options that are a number of hypotheses."""
STREAMED = ("greedy", "sampling")
"""Searches that write one output symbol by symbol, and never take one back."""
ROWS_PER_HYPOTHESIS = 10
"""Prefixes that a search may keep open for each hypothesis of the widest one."""


class ValueRange(Protocol):
    """The values that an option may have."""

    @property
    def rule(self) -> str:
        """In words."""

    @property
    def least(self) -> float | None:
        """The smallest number among them, if there is one."""

    @property
    def most(self) -> float | None:
        """The largest number among them, if there is one."""

    @property
    def allows(self) -> Callable[[Any], bool]:
        """Whether a value is among them."""

    def meant(self, value: Any) -> Any:
        """The value of this range that is meant, such as 5 by 5.0."""


@dataclass(frozen=True)
class Option:
    """An option of a search."""

    default: Any
    """None if a request must give it."""
    kind: str
    """int, float, text or list."""
    help: str
    values: ValueRange

    def described(self, most: float) -> dict[str, Any]:
        """As ``GET /models`` shows it.

        :param most: the largest number that the server allows.
        """
        largest = min(most, math.inf if self.values.most is None else self.values.most)
        return {
            "default": self.default,
            "min": self.values.least,
            "max": None if math.isinf(largest) else largest,
            "kind": self.kind,
            "help": self.help,
        }


@dataclass(frozen=True)
class SearchKind:
    """A search with its options, as plain objects."""

    name: str
    target: str
    """The full name of what makes it."""
    make: Callable[..., Search]
    options: Mapping[str, Option]

    @property
    def is_random(self) -> bool:
        """Whether what it finds depends on the other sources in its batch."""
        return "seed" in self.options

    def with_defaults(self, values: Mapping[str, Any]) -> "SearchKind":
        """The same with other defaults for some options."""
        return replace(
            self,
            options={
                name: replace(option, default=values.get(name, option.default))
                for name, option in self.options.items()
            },
        )

    def described(self, max_width: int) -> dict[str, Any]:
        """Its options as ``GET /models`` shows them."""
        return {
            name: option.described(max_width if name in WIDTHS else math.inf)
            for name, option in self.options.items()
        }

    def made(self, given: Mapping[str, Any], *, max_width: int) -> Search:
        """The search with the options that a request gives.

        :raises RequestError: 422, if an option is unknown, missing or out of its range.
        """
        values = {name: option.default for name, option in self.options.items()}
        for name, value in given.items():
            values[name] = self._checked(name, value)
        missing = [name for name, value in values.items() if value is None]
        if missing:
            raise RequestError(
                422,
                f"The search {self.name} needs the option `{missing[0]}`; give it in `options`.",
            )
        try:
            search = self.make(**values)
        except InputError as error:
            raise RequestError(422, str(error)) from error
        rows = search.width * (1 + sum(_symbols(value) for value in values.values()))
        if search.width > max_width or rows > ROWS_PER_HYPOTHESIS * max_width:
            raise RequestError(
                422,
                f"The search {self.name} would keep {min(rows, 10**9):,} prefixes of each source, "
                f"but this server keeps at most {max_width} hypotheses and "
                f"{ROWS_PER_HYPOTHESIS * max_width} prefixes; ask for fewer.",
            )
        return search

    def _checked(self, name: str, value: Any) -> Any:
        if name not in self.options:
            raise RequestError(
                422,
                f"The search {self.name} has no option {name!r:.60}{nearest(name, self.options)}; "
                f"it has {', '.join(self.options) or 'none'}.",
            )
        values = self.options[name].values
        meant = values.meant(value)
        if not values.allows(meant) or (isinstance(meant, int) and abs(meant) >= 2**32):
            raise RequestError(
                422, f"The option `{name}` must be {values.rule}, but is {value!r:.60}."
            )
        return meant


def _symbols(value: Any) -> int:
    """At least as many as the sequences have that a search is given as texts or ids."""
    return sum(map(len, value)) if isinstance(value, list) else 0
