"""Sources that are text."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.data.columns import Rows, TextColumn
from tandem.data.features.base import Vectors
from tandem.data.ragged import Ragged
from tandem.data.readers.base import SourceReader, SplitSources, check_length
from tandem.data.subword_regularization import MakeCutter, SampledTexts
from tandem.data.token_cache import encode_column, encode_texts
from tandem.data.tokenizers.tokenizer import Tokenizer

if TYPE_CHECKING:
    from datasets import Dataset

TOKENIZER = "source_tokenizer.json"
"""The file in a bundle."""


@final
class TextReader(SourceReader):
    """Reads texts as ids.

    :param tokenizer: cuts texts into symbols.
    :param truncate: keep so many symbols of each source; None keeps all.
    :param before: an id in front of each source, such as ``[CLS]``; None: there is none.
    :param after: an id behind each source; None: there is none.
    """

    media = "text"
    prompt = "a source"

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        truncate: int | None,
        before: int | None = None,
        after: int | None = SPECIAL_IDS.eos,
    ) -> None:
        self.tokenizer = tokenizer
        self.tokenizers = (tokenizer,)
        self.truncate, self.before, self.after = truncate, before, after
        self.size = tokenizer.vocabulary_size
        self.specials_before, self.specials_after = int(before is not None), int(after is not None)

    def read(self, sources: list[str]) -> TextColumn:
        """Texts as ids; refuses one without symbols."""

        def refusal(row: int) -> str:
            text = sources[row]
            if not text:
                return f"Source {row + 1} is empty; every source needs some text."
            return _without_symbols(f"The source {text!r}")

        return self._column(encode_texts(self.tokenizer, sources), refusal)

    def read_split(
        self, split: "Dataset", name: str, *, training: bool, skip_bad: bool
    ) -> SplitSources:
        """See :class:`SourceReader`; a text without symbols is never left out."""
        ids, digest = encode_column(self.tokenizer, split, "source", name)
        column = self._column(
            ids, lambda row: _without_symbols(f"Example {row + 1} of the {name} split")
        )
        return SplitSources(column, np.arange(len(split)), digest)

    def check_lines(self, lines: list[str], *, most: int, first: int = 1) -> None:
        """See :class:`SourceReader`; what is truncated is never too long."""
        for number, line in enumerate(lines, start=first):
            if not line.strip():
                raise InputError(f"Line {number} of the input is empty; every line needs a source.")
        if self.truncate is not None:
            return
        for number, ids in enumerate(self.tokenizer.encode_batch(lines), start=first):
            if not ids:
                raise InputError(_without_symbols(f"Line {number} of the input"))
            check_length(number, len(ids), most)

    def unknown(self, line: str) -> list[str]:
        """Words or characters that are not in the vocabulary."""
        return self.tokenizer.unknown(line)

    def name(self, source: Any, split: str, row: int) -> str:
        """The text."""
        return str(source)

    def labels(self, positions: Vectors) -> list[str]:
        """The symbols."""
        return self.tokenizer.tokens(positions.tolist())

    def resampled(
        self, make_cutter: MakeCutter, split: "Dataset", rows: Rows, *, seed: str
    ) -> Callable[[int], TextColumn] | None:
        """Texts whose words are cut into other pieces in each epoch."""
        cutter = make_cutter(self.tokenizer)
        if cutter is None:
            return None
        sampled = SampledTexts(self.tokenizer, cutter, split["source"][:], rows, seed=seed)
        return lambda epoch: self._framed(sampled(epoch))

    def identity(self) -> str:
        """Vocabulary, truncation and special symbols."""
        return f"{self.truncate} {self.before} {self.after} {self.tokenizer.to_json()}"

    def with_tokenizers(self, tokenizers: Sequence[Tokenizer]) -> "TextReader":
        """The same with another tokenizer."""
        (tokenizer,) = tokenizers
        return TextReader(tokenizer, truncate=self.truncate, before=self.before, after=self.after)

    def to_bundle(self, folder: Path, *, shared: bool) -> dict[str, Any]:
        """See :class:`SourceReader`."""
        if not shared:
            (folder / TOKENIZER).write_text(self.tokenizer.to_json(), encoding="utf-8")
        return {"truncate": self.truncate, "before": self.before, "after": self.after}

    @classmethod
    def from_bundle(
        cls,
        options: dict[str, Any],
        *,
        open_file: Callable[[str], Path],
        build: Callable[[Any], Any],
        shared: Tokenizer | None,
    ) -> Self:
        """See :class:`SourceReader`."""
        if options.keys() != {"truncate", "before", "after"} or not all(
            value is None or type(value) is int for value in options.values()
        ):
            raise TypeError("truncate, before and after must be whole numbers or null")
        tokenizer = shared or Tokenizer.from_json(open_file(TOKENIZER).read_text(encoding="utf-8"))
        reader = cls(tokenizer, **options)
        if options["truncate"] is not None and not 1 <= options["truncate"] < 2**31:
            raise TypeError("truncate must be at least 1, and a number of symbols")
        if any(
            id_ is not None and not 0 <= id_ < reader.size for id_ in (reader.before, reader.after)
        ):
            raise TypeError("before and after must be ids of the vocabulary")
        return reader

    def _column(self, ids: Ragged, refusal: Callable[[int], str]) -> TextColumn:
        """Refuse a source without symbols, and truncate the others."""
        empty = (ids.lengths == 0).nonzero()[0]
        if len(empty):
            raise InputError(refusal(int(empty[0])))
        return self._framed(ids)

    def _framed(self, ids: Ragged) -> TextColumn:
        kept = ids if self.truncate is None else ids.truncated(self.truncate)
        return TextColumn(kept, before=self.before, after=self.after)


def _without_symbols(what: str) -> str:
    return f"{what} has no source symbols after tokenising; remove it or choose another tokenizer."
