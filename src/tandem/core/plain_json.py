"""JSON of unknown origin, and JSON for pages."""

import json
import math
from collections.abc import Iterable
from typing import Any

DEEPEST = 40
"""Objects and lists inside each other; ours have a quarter of that."""


def read_json(text: str | bytes) -> Any:
    """Plain data from JSON.

    :raises ValueError: if it is no JSON or no UTF-8, is nested too deeply, or has a number that is
        not finite.
    """
    try:
        data = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} deep") from None
    level, depth = _nested([data]), 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        level = _nested(
            item for node in level for item in (node.values() if isinstance(node, dict) else node)
        )
    return data


def inline_json(data: Any) -> str:
    """JSON that cannot end the script element of a page that it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _nested(items: Iterable[Any]) -> list[Any]:
    """The objects and lists among them."""
    return [item for item in items if isinstance(item, dict | list)]


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value
