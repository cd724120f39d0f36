"""What makes the training examples of one epoch unlike those of another."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from datasets import Dataset

from tandem.data.batching import Encoded
from tandem.data.columns import Rows, TextColumn
from tandem.data.curriculum import Competence
from tandem.data.processors import Processors
from tandem.data.ragged import Ragged
from tandem.data.tokenizers.cutters import Cutter
from tandem.data.tokenizers.tokenizer import Tokenizer

MakeCutter = Callable[[Tokenizer], Cutter | None]
Examples = Callable[[int], Encoded]
"""From an epoch's number to its examples, the same for the same number."""


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


@dataclass(frozen=True, kw_only=True)
class Variety:
    """Makes examples anew for each epoch."""

    source_cutter: MakeCutter
    """Makes what cuts source texts at random, if anything does."""
    target_cutter: MakeCutter
    curriculum: Competence | None
    """Chooses among the examples."""
    seed: int

    def changes(self, processors: Processors) -> bool:
        """Whether examples are not the same in every epoch."""
        source = processors.source
        return (
            self.curriculum is not None
            or self.target_cutter(processors.target) is not None
            or (isinstance(source, Tokenizer) and self.source_cutter(source) is not None)
        )

    def examples(
        self, train: Encoded, split: Dataset, processors: Processors, *, truncate: int | None
    ) -> Examples:
        """Let the examples of a split change from epoch to epoch.

        :param train: the examples as they are without this.
        :param truncate: keep so many symbols of each source text; None keeps all.
        """
        sources = targets = None
        if isinstance(processors.source, Tokenizer):
            sources = self._sampled("source", self.source_cutter, processors.source, split, train)
        targets = self._sampled("target", self.target_cutter, processors.target, split, train)

        def of(epoch: int) -> Encoded:
            encoded = train
            if sources is not None:
                ids = sources(epoch)
                column = TextColumn(ids if truncate is None else ids.truncated(truncate))
                encoded = replace(encoded, source=column)
            if targets is not None:
                encoded = replace(encoded, target=targets(epoch))
            return encoded if self.curriculum is None else self.curriculum(encoded, epoch)

        return of

    def _sampled(
        self, side: str, make: MakeCutter, tokenizer: Tokenizer, split: Dataset, train: Encoded
    ) -> SampledTexts | None:
        cutter = make(tokenizer)
        if cutter is None:
            return None
        seed = f"{self.seed} {side}"
        return SampledTexts(tokenizer, cutter, split[side][:], train.rows, seed=seed)
