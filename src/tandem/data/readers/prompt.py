"""Sources that are prompts: texts with which outputs begin, as a language model has them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from torch import Tensor

from tandem.core.types import SPECIAL_IDS
from tandem.data.columns import TextColumn
from tandem.data.features.base import Vectors
from tandem.data.ragged import Ragged
from tandem.data.readers.base import SourceReader, SplitSources, check_length
from tandem.data.token_cache import encode_texts
from tandem.data.tokenizers.tokenizer import Tokenizer

if TYPE_CHECKING:
    from datasets import Dataset


@final
class PromptReader(SourceReader):
    """Reads the first symbols of an output, perhaps none; a split has none, whatever it holds.

    :param target: the target's tokenizer.
    """

    media = "text"
    prompt = "how a text begins, or nothing,"
    needs_source = False
    after = SPECIAL_IDS.eos
    specials_after = 1

    def __init__(self, target: Tokenizer) -> None:
        self.target = target
        self.tokenizers = (target,)
        self.size = target.vocabulary_size

    def read(self, sources: list[str]) -> TextColumn:
        """Texts as ids, of which there may be none."""
        return self._column(encode_texts(self.target, sources))

    def read_split(
        self, split: "Dataset", name: str, *, training: bool, skip_bad: bool
    ) -> SplitSources:
        """See :class:`SourceReader`; no source is looked at."""
        empty = Ragged(np.zeros(0, np.int32), np.zeros(len(split) + 1, np.int64))
        return SplitSources(self._column(empty), np.arange(len(split)), "")

    def check_lines(self, lines: list[str], *, most: int, first: int = 1) -> None:
        """See :class:`SourceReader`; a line may be empty."""
        for number, ids in enumerate(self.target.encode_batch(lines), start=first):
            check_length(number, len(ids), most)

    def unknown(self, line: str) -> list[str]:
        """Words or characters that are not in the vocabulary."""
        return self.target.unknown(line)

    def labels(self, positions: Vectors) -> list[str]:
        """The symbols."""
        return self.target.tokens(positions.tolist())

    def prompts(self, source: Tensor) -> Tensor:
        """See :class:`SourceReader`."""
        return source[:, :-1].masked_fill(source[:, :-1] == SPECIAL_IDS.eos, SPECIAL_IDS.pad)

    def identity(self) -> str:
        """The vocabulary."""
        return f"prompt {self.target.to_json()}"

    def with_tokenizers(self, tokenizers: Sequence[Tokenizer]) -> "PromptReader":
        """The same with another tokenizer."""
        return PromptReader(*tokenizers)

    def to_bundle(self, folder: Path, *, shared: bool) -> dict[str, Any]:
        """See :class:`SourceReader`; there is nothing to write."""
        return {}

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
        if options or shared is None:
            raise TypeError("prompts are read by the target's tokenizer, without options")
        return cls(shared)

    def _column(self, ids: Ragged) -> TextColumn:
        return TextColumn(ids, before=None, after=self.after)
