"""Bodies of requests: JSON of unknown origin, held against what each path takes."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tandem.core.errors import nearest, reason_of
from tandem.core.plain_json import read_json
from tandem.serving.errors import RequestError

LONGEST_NAME = 200
"""Characters of the name of a model or of a search."""
SURROGATE = re.compile(r"[\ud800-\udfff]")
Name = Annotated[str, Field(max_length=LONGEST_NAME)]


class Body(BaseModel):
    """What every path takes: JSON types as they stand, and no key that it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: Name | None = Field(None, description="A name out of GET /models; null: the first.")


class GenerateBody(Body):
    """What `POST /generate` takes."""

    sources: list[str] = Field(
        min_length=1, description="Texts, or pictures or recordings as the Base64 of their files."
    )
    search: Name | None = Field(
        None, description="A search out of GET /models; null: the one that the model brings."
    )
    options: dict[str, Any] = Field({}, description="Options of the search.")
    n_best: int = Field(1, ge=1, description="Outputs of each source, the best first.")
    attention: bool = Field(False, description="Whether to add where the last attention looked.")
    stream: bool = Field(
        False,
        description="Server-sent events with one symbol each, for one source and the searches "
        "greedy and sampling.",
    )


class ScoreBody(Body):
    """What ``POST /score`` takes."""

    sources: list[str] = Field(min_length=1, description="As of POST /generate.")
    targets: list[str] = Field(min_length=1, description="A text for each source.")


class InspectBody(Body):
    """What ``POST /inspect`` takes."""

    source: str = Field(description="One source, as of POST /generate.")
    search: Name | None = Field(None, description="As of POST /generate.")
    options: dict[str, Any] = Field({}, description="Options of the search.")
    prefix: list[int] = Field([], description="Ids of symbols that the output begins with.")


AnyBody = TypeVar("AnyBody", bound=Body)


def read_body(content: bytes, kind: type[AnyBody]) -> AnyBody:
    """What a body says.

    :raises RequestError: 400 if it is no JSON, and 422 if it is not what the path takes.
    """
    try:
        data = read_json(content.decode("utf-8"))
    except ValueError as error:
        raise RequestError(
            400, f"The body is not JSON ({reason_of(error)[:200]}); send an object in UTF-8."
        ) from error
    if not isinstance(data, dict):
        raise RequestError(422, 'The body must be a JSON object, such as {"sources": ["..."]}.')
    for text in _texts(data):
        if SURROGATE.search(text) or "\0" in text:
            raise RequestError(
                422,
                "The body has a text with half of a surrogate pair or with the character NUL, "
                "which no text has; leave it out.",
            )
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise RequestError(422, _sentence(error, kind)) from error


def _texts(data: Any) -> Iterator[str]:
    """All texts in plain data, keys included."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from _texts(item)
    elif isinstance(data, dict):
        yield from data
        for item in data.values():
            yield from _texts(item)


RULES = {
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "an object",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "too_short": "a list of at least one",
    "greater_than_equal": "a number of at least 1",
    "string_too_long": f"a text of at most {LONGEST_NAME} characters",
}
"""What a value must be, by what pydantic calls the fault."""


def _sentence(error: ValidationError, kind: type[Body]) -> str:
    """The first fault in one sentence."""
    fault = error.errors(include_url=False, include_context=False)[0]
    name = str(fault["loc"][0])[:60]
    if fault["type"] == "extra_forbidden":
        known = kind.model_fields
        return f"There is no key {name!r}{nearest(name, known)}; the keys are {', '.join(known)}."
    if fault["type"] == "missing":
        return f"The body lacks the key `{name}`; give it."
    place = "".join(f"[{part}]" if isinstance(part, int) else "" for part in fault["loc"][1:])
    rule = RULES.get(fault["type"], "what GET /docs says")
    return f"`{name}{place}` must be {rule}, but is {_short(fault['input'])}."


def _short(value: Any) -> str:
    """The beginning of a value."""
    if isinstance(value, list | dict):
        return "a list" if value and isinstance(value, list) else "an object" if value else "empty"
    return f"{value!r:.60}" if isinstance(value, str) else json.dumps(value)[:60]
