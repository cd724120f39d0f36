"""What the columns of text rows mean: which are source, target and references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from tandem.core.errors import InputError
from tandem.data.rows import Column, Record

BY_SOURCE = "by_source"
References: TypeAlias = Column | Sequence[Column] | None
"""A column of texts or of lists of texts, several of them, ``by_source``, or None."""


class TextExample(NamedTuple):
    """One row of two texts, and what splits are made by."""

    place: str
    source: str
    target: str
    references: list[str] | None
    """All acceptable outputs; None: the target alone."""
    group: str
    """Rows for which it is equal stay in one split."""
    split: str | None
    """The name of its split, where a column has it."""


@dataclass(frozen=True, kw_only=True)
class TextColumns:
    """Turns rows into examples of texts.

    :raises InputError: for columns that cannot work together.
    """

    source: Column
    target: Column | None
    """None: each reference is a target in turn in training, the first one in evaluation."""
    references: References = None
    """``by_source``: in evaluation, the targets of all rows that have the same source."""
    group: Column | None = None
    """Rows with an equal value stay together when shares are drawn; None: those of one source."""
    split: Column | None = None
    """The column whose values name the split of each row; None: there is none."""
    strip: bool = False
    """Whether whitespace at the ends of texts is removed."""

    def __post_init__(self) -> None:
        if self.target is None and not self.reference_columns:
            raise InputError(
                "dataset.target=null needs dataset.references, whose columns are the targets then; "
                "set one of the two."
            )
        references = self.reference_columns
        if self.source in (self.target, *references) or len(set(references)) < len(references):
            texts = [self.source, *([] if self.target is None else [self.target]), *references]
            raise InputError(
                f"The columns {', '.join(map(str, texts))} are not all different, but "
                "dataset.source is never an output, and no reference is named twice; correct "
                "dataset.source, dataset.target or dataset.references."
            )

    @cached_property
    def reference_columns(self) -> list[Column]:
        """The columns of references."""
        if self.references is None or self.references == BY_SOURCE:
            return []
        return [self.references] if isinstance(self.references, str | int) else [*self.references]

    @property
    def all(self) -> dict[str, Column]:
        """All columns that are read, by the options that name them."""
        options = {
            "source": self.source,
            "target": self.target,
            "group": self.group,
            "split_column": self.split,
        }
        columns = {name: column for name, column in options.items() if column is not None}
        listed = self.reference_columns
        if len(listed) == 1:
            return {**columns, "references": listed[0]}
        return {**columns, **{f"references[{n}]": column for n, column in enumerate(listed)}}

    def pair(self, record: Record) -> tuple[str, str] | InputError:
        """Return source and target, or what is wrong with them."""
        values = record.values
        source, target = values.get(self.source), values.get(self.target)  # type: ignore[arg-type]
        if type(source) is str and type(target) is str:  # nearly always
            if self.strip:
                source, target = source.strip(), target.strip()
            if source and target and not (source.isspace() or target.isspace()):
                return source, target
        try:
            source = self._text(record, self.source, "source")
            if self.target is None:
                return source, self._references(record)[0]
            return source, self._text(record, self.target, "target")
        except InputError as error:
            return error

    def example(self, record: Record) -> TextExample | InputError:
        """Return an example, or what is wrong with it."""
        pair = self.pair(record)
        if isinstance(pair, InputError):
            return pair
        source, target = pair
        references, group, split = None, source, None
        try:
            if self.reference_columns:
                references = self._references(record)
            if self.group is not None:
                group = _label(record, self.group, "group")
            if self.split is not None:
                split = _label(record, self.split, "split_column")
        except InputError as error:
            return error
        return TextExample(record.place, source, target, references, group, split)

    def _references(self, record: Record) -> list[str]:
        """Return all references that are not empty, of which there is one at least."""
        references = []
        for column in self.reference_columns:
            value = find_value(record, column, "references")
            for one in value if isinstance(value, list) else [value]:
                text = self._checked(one, column, record.place)
                if text and not text.isspace():
                    references.append(text)
        if not references:
            raise _empty("list of references", record.place)
        return references

    def _text(self, record: Record, column: Column, option: str) -> str:
        """Return the text of a column; an empty one is none."""
        text = self._checked(find_value(record, column, option), column, record.place)
        if not text or text.isspace():
            raise _empty(option, record.place)
        return text

    def _checked(self, value: Any, column: Column, place: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise InputError(
                f"The value of `{column}` at {place} must be text, but is a "
                f"{type(value).__name__}; write it in quotes."
            )
        return value.strip() if self.strip else value


def _label(record: Record, column: Column, option: str) -> str:
    """Return a value that only says which rows belong together."""
    value = find_value(record, column, option)
    return "" if value is None else str(value)


def find_value(record: Record, column: Column, option: str) -> Any:
    """Return the value of a column; dots lead into objects, unless a column itself has them.

    Spaces around the name of a column are no part of it.

    :param option: the key of ``dataset`` that names the column, for the error if there is none.
    """
    values = record.values
    if column in values:
        return values[column]
    value: Any = values
    for part in str(column).split("."):
        if not isinstance(value, Mapping) or part not in value:
            break
        value = value[part]
    else:
        return value
    for name, value in values.items():
        if isinstance(name, str) and name.strip() == column:
            return value
    names = ", ".join(str(name).strip() for name in values) or "none"
    raise InputError(
        f"{record.place} has no column `{column}` (its columns are {names}); set "
        f"dataset.{option} to one of them."
    )


def _empty(what: str, place: str) -> InputError:
    return InputError(
        f"The {what} at {place} is empty, but every example needs a source and a target; correct "
        "the file or set dataset.on_bad_example=skip."
    )
