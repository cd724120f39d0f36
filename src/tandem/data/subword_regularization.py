"""Subword regularization and BPE dropout: training texts cut into other pieces in each epoch."""

from collections.abc import Callable
from random import Random

from tandem.data.columns import Rows
from tandem.data.ragged import Ragged
from tandem.data.tokenizers.cutters import Cutter
from tandem.data.tokenizers.tokenizer import Tokenizer

MakeCutter = Callable[[Tokenizer], Cutter | None]
"""Makes what cuts words at random, if anything does; see :mod:`tandem.data.tokenizers.cutters`."""


class SampledTexts:
    """Texts whose words are cut into pieces anew each epoch.

    :param tokenizer: finds the words.
    :param cutter: cuts them.
    :param texts: one for each row of the split.
    :param rows: the rows that the examples have.
    :param seed: of the random numbers, together with the epoch's number.
    """

    def __init__(
        self, tokenizer: Tokenizer, cutter: Cutter, texts: list[str], rows: Rows, *, seed: str
    ) -> None:
        places: dict[str, int] = {}
        numbered = [
            [places.setdefault(word, len(places)) for word in tokenizer.words(text)]
            for text in texts
        ]
        self.words = list(places)
        self.numbered = Ragged.from_lists(numbered).take(rows)
        self.cutter = cutter
        self.seed = seed

    def __call__(self, epoch: int) -> Ragged:
        """The ids of each example in an epoch."""
        random = Random(f"{self.seed} {epoch}")
        return Ragged.from_lists(
            [
                [id_ for word in self.numbered.row(row) for id_ in self._cut(word, random)]
                for row in range(len(self.numbered))
            ]
        )

    def _cut(self, word: int, random: Random) -> list[int]:
        return self.cutter(self.words[word], random)
