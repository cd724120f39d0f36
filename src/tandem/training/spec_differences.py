"""In which options two models differ, by the keys of their configs."""

from collections.abc import Iterator, Mapping
from typing import Any

from tandem.core.errors import written

SECTIONS = {"frontend": "frontend", "encoder": "encoder", "decoder": "decoder"}
"""The part of a spec that a part of the model is made of; of all others ``model``."""
ELSEWHERE = {"model.ctc_weight": "objective.ctc_weight"}
"""Keys that a config has in another place than a spec."""


def spec_differences(
    first: Mapping[str, Any], second: Mapping[str, Any], part: str
) -> list[tuple[str, str]]:
    """What of a part differs, as pairs ``key=value`` of the one and the other.

    Left alone are shares of dropout, which change no weight's shape or meaning, and keys that only
    one of them has.

    :param first: by part factories as plain data with ``_target_``, as a bundle has them.
    :param part: a part of the model, such as ``encoder``.
    """
    section = SECTIONS.get(part, "model")
    return list(_differences(first.get(section), second.get(section), section))


def _differences(first: Any, second: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        if first.get("_target_") != second.get("_target_"):
            yield _class(first, key), _class(second, key)
            return
        for name in first:
            if name in second and not name.endswith("dropout"):
                yield from _differences(first[name], second[name], f"{key}.{name}")
    elif first != second:
        shown = ELSEWHERE.get(key, key)
        yield f"{shown}={written(first)}", f"{shown}={written(second)}"


def _class(spec: Mapping[str, Any], key: str) -> str:
    return f"{key}={str(spec.get('_target_')).rpartition('.')[2]}"
