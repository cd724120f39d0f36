"""What a tokenizer makes of the texts that it is to write: a score cannot be better than that."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from tandem.core.types import SPECIAL_IDS
from tandem.data.preprocessing import Processors
from tandem.data.ragged import Ragged
from tandem.data.token_cache import batches_of
from tandem.data.tokenizers.tokenizer import Tokenizer

if TYPE_CHECKING:
    from datasets import Dataset

MOST_TARGETS = 100_000
"""Of more training targets the first ones are looked at."""
MOST_SAMPLED = 10_000
"""Of a stream so many, as none of them lies there as ids."""

UNKNOWN = "unknown symbols"
CASE = "capital letters"
BLANKS = "blanks"
FORM = "forms of Unicode"
OTHER = "other changes"
CHANGES = (UNKNOWN, CASE, BLANKS, FORM, OTHER)
"""What becomes of texts, in the order in which messages name it."""

Texts = Sequence[tuple[str, list[int]]]
"""The texts of a row that count as right, each with its ids."""


class Changed(NamedTuple):
    """A text that does not come back from ids as it was."""

    place: str
    text: str
    written: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a tokenizer makes of the references of some rows."""

    rows: int
    unwritable: int
    """Rows of whose references none comes back as it is."""
    first: Changed | None = None
    changes: frozenset[str] = frozenset()
    """What happens to the references of those rows, out of ``CHANGES``."""
    outputs: dict[int, str] = field(default_factory=dict)
    """By its row, the closest output to the references that can be written, where that is not the
    first of them as it stands."""
    is_all: bool = True
    """Whether these are all rows that there are."""


def look_at(
    processors: Processors, split: "Dataset", name: str, targets: Ragged, *, training: bool
) -> Written:
    """Look at what evaluation of a split compares outputs with, or training learns from.

    :param name: of the split, for messages.
    :param targets: the split's targets as ids.
    :param training: whether the targets count, of which ``MOST_TARGETS`` are looked at.
    """

    def place(row: int) -> str:
        return processors.source.place(split[row]["source"], name, row)

    if processors.target.lossless:
        return Written(rows=len(split), unwritable=0)
    if not training and "references" in split.column_names:
        return written(_references(processors.target, split), processors.target, place)
    count = min(MOST_TARGETS, len(targets)) if training else len(targets)
    rows = zip(chain.from_iterable(batches_of(split, "target")), targets.lists(), strict=True)
    pairs = ([pair] for pair in islice(rows, count))
    return written(pairs, processors.target, place, is_all=count == len(targets))


def look_at_stream(tokenizer: Tokenizer, pairs: Iterable[tuple[str, str]]) -> Written:
    """Look at the targets of a stream's first pairs."""
    targets = [target for _, target in pairs]
    if tokenizer.lossless:
        return Written(rows=len(targets), unwritable=0, is_all=False)
    rows = ([pair] for pair in zip(targets, tokenizer.encode_batch(targets), strict=True))
    return written(rows, tokenizer, lambda row: f"pair {row + 1} of the sample", is_all=False)


def _references(tokenizer: Tokenizer, split: "Dataset") -> Iterator[Texts]:
    for batch in batches_of(split, "references"):
        ids = iter(tokenizer.encode_batch(list(chain.from_iterable(batch))))
        yield from ([(text, next(ids)) for text in texts] for texts in batch)


def written(
    rows: Iterable[Texts],
    tokenizer: Tokenizer,
    place: Callable[[int], str],
    *,
    is_all: bool = True,
) -> Written:
    """Turn each row's ids back into texts.

    :param place: names a row, for messages.
    :param is_all: see :class:`Written`.
    """
    count, unwritable, first = 0, 0, None
    changes: set[str] = set()
    outputs: dict[int, str] = {}
    for row, texts in enumerate(rows):
        count += 1
        decoded = [tokenizer.decode(ids) for _, ids in texts]
        same = [after for (text, _), after in zip(texts, decoded, strict=True) if text == after]
        if same:
            if texts[0][0] != same[0]:
                outputs[row] = same[0]
            continue
        best = min(range(len(texts)), key=lambda n: _distance(*texts[n], decoded[n]))
        text, ids = texts[best]
        outputs[row] = decoded[best]
        changes.add(_change(text, ids, decoded[best]))
        unwritable += 1
        first = first or Changed(place(row), text, decoded[best])
    return Written(
        rows=count,
        unwritable=unwritable,
        first=first,
        changes=frozenset(changes),
        outputs=outputs,
        is_all=is_all,
    )


def _distance(text: str, ids: list[int], after: str) -> tuple[int, int]:
    """How far a text that comes back changed is from itself: unknown symbols, then letters."""
    return ids.count(SPECIAL_IDS.unk), abs(len(text) - len(after))


def _change(text: str, ids: list[int], after: str) -> str:
    """What has become of a text, out of ``CHANGES``."""
    if SPECIAL_IDS.unk in ids:
        return UNKNOWN
    if text.split() == after.split():
        return BLANKS
    if text.lower().split() == after.split():
        return CASE
    if unicodedata.normalize("NFKC", text) == unicodedata.normalize("NFKC", after):
        return FORM
    return OTHER
