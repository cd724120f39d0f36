"""What every reader of sources promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.columns import Rows, SourceColumn
from tandem.data.features.base import Features, Vectors
from tandem.data.subword_regularization import MakeCutter
from tandem.data.tokenizers.tokenizer import Tokenizer

if TYPE_CHECKING:  # using a model needs no datasets
    from datasets import Dataset


class Preview(NamedTuple):
    """What to draw of a source beside the attention on it."""

    picture: Vectors
    """(H, W) or (H, W, 3) bytes of an image; (F, bands) of audio, the lowest band first."""
    seconds: float
    """How long a recording lasts; 0 for what has no duration."""


class SplitSources(NamedTuple):
    """The sources of a split."""

    column: SourceColumn
    rows: Rows
    """The row of the split that each source belongs to."""
    digest: str
    """Changes with what any of them holds."""


class SourceReader(ABC):
    """Turns sources into numbers, in training and in inference alike.

    Nobody else asks what kind of source a model has. A reader of several sources (a recording
    with its text) satisfies the same promises: it holds a reader a name; a source is a mapping of
    names, in a line of input a JSON object; :meth:`read` returns a column of columns, whose
    ``batch`` returns a mapping of tensors and a mapping of masks, whose ``take`` takes from each
    and whose ``lengths`` are the sums. ``Batch.source`` may so be any pytree of tensors with one
    mask each, and a frontend of several reads it. ``size`` becomes the sum of the sizes or a
    mapping; ``media``, :meth:`identity` and :meth:`to_bundle` are those of the parts by name.
    """

    media: str
    """What a source is: text, image, audio, or a name of one's own that a frontend has, too."""

    size: int
    """Symbols of the vocabulary, or the size of a vector."""

    prompt: str
    """What a person is to type, such as ``a source``."""

    needs_source: bool = True
    """Whether an output needs a source; else an empty one stands for none."""

    tokenizers: tuple[Tokenizer, ...] = ()
    """What was learnt from training texts, if anything."""

    before: int | None = None
    after: int | None = None
    """Ids in front of and behind a source's symbols; None: there is none."""

    truncate: int | None = None
    """How many symbols of a source are read; None: all."""

    features: Features | None = None
    """What turns a file into vectors; None where sources are no files."""

    specials_before: int = 0
    specials_after: int = 0
    """Positions at a source's ends that stand for nothing in it, such as that of ``eos``."""

    positions_per_symbol: int = 1
    """How many positions of a source count as one symbol where a batch is limited in symbols."""

    @abstractmethod
    def read(self, sources: list[str]) -> SourceColumn:
        """Read lines of input: texts, or paths.

        :raises InputError: if one is unusable.
        """

    @abstractmethod
    def read_split(
        self, split: "Dataset", name: str, *, training: bool, skip_bad: bool
    ) -> SplitSources:
        """Read the column ``source`` of a split, or map what was read before from the cache.

        :param name: of the split, for errors.
        :param training: whether there may be several versions of an example.
        :param skip_bad: leave out, and count, examples whose sources are unusable.
        :raises InputError: if a source is unusable and not left out.
        """

    @abstractmethod
    def check_lines(self, lines: list[str], *, most: int, first: int = 1) -> None:
        """Refuse lines of input that are empty or have more than ``most`` symbols.

        :param first: the number of the first of them, for errors.
        """

    def unknown(self, line: str) -> list[str]:
        """Parts of a line of input that the model does not know, as they stand in it."""
        return []

    def prompts(self, source: Tensor) -> Tensor | None:
        """Ids with which the outputs begin, (B, P) with ``pad`` behind; None: as they like.

        :param source: of a batch, (B, S, ...).
        """
        return None

    def is_source(self, name: str) -> bool:
        """Whether an input of this name is one source itself, not a file with one a line."""
        return False

    def place(self, source: Any, split: str, row: int) -> str:
        """How a message names an example.

        :param source: what the split's row has in the column ``source``.
        """
        return f"example {row + 1} of the {split} split"

    def name(self, source: Any, split: str, row: int) -> str:
        """What stands for a source in tables of outputs; see :meth:`place`."""
        return self.place(source, split, row)

    def labels(self, positions: Vectors) -> list[str] | None:
        """What to write at each position of a source; None where nothing can be written.

        :param positions: (S,) ids or (S, width) vectors, as in a batch.
        """
        return None

    def preview(self, positions: Vectors) -> Preview:
        """What to draw of a source whose ``media`` is image or audio; see :meth:`labels`."""
        raise NotImplementedError

    def resampled(
        self, make_cutter: MakeCutter, split: "Dataset", rows: Rows, *, seed: str
    ) -> Callable[[int], SourceColumn] | None:
        """Subword regularization: sources by an epoch's number; None if all epochs have the same.

        :param make_cutter: makes what cuts texts at random, given a tokenizer, if anything does.
        :param rows: the split's row of each example.
        """
        return None

    @abstractmethod
    def identity(self) -> str:
        """All that decides which numbers a source becomes."""

    def evaluated_identity(self) -> str:
        """All of :meth:`identity` that counts in evaluation, where a source has one version."""
        return self.identity()

    def with_tokenizers(self, tokenizers: Sequence[Tokenizer]) -> "SourceReader":
        """The same reader with other :attr:`tokenizers`."""
        return self

    @abstractmethod
    def to_bundle(self, folder: Path, *, shared: bool) -> dict[str, Any]:
        """Write files into a bundle's folder, and return the rest as plain data.

        :param shared: whether the target's tokenizer, which the bundle has, is this reader's.
        """

    @classmethod
    @abstractmethod
    def from_bundle(
        cls,
        options: dict[str, Any],
        *,
        open_file: Callable[[str], Path],
        build: Callable[[Any], Any],
        shared: Tokenizer | None,
    ) -> Self:
        """The reader that :meth:`to_bundle` wrote.

        :param options: what it returned.
        :param open_file: finds a file that it wrote, and refuses a damaged one.
        :param build: makes the :class:`Features` that plain data describes, if they are trusted.
        :param shared: the target's tokenizer if it is this reader's, too.
        :raises TypeError: or KeyError, if the options are no reader's.
        """


def check_length(number: int, symbols: int, most: int) -> None:
    """Refuse a line of input with too many symbols.

    :param number: of the line.
    """
    if symbols > most:
        raise InputError(
            f"Line {number} of the input has {symbols} symbols, more than "
            f"max_source_length={most}; shorten it or raise max_source_length."
        )
