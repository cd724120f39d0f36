"""Augmentation: what makes the training examples of one epoch unlike those of another.

Subword regularization (Kudo 2018) and BPE dropout (Provilkov et al. 2020) cut the same texts into
other pieces; a curriculum (Platanios et al. 2019) chooses among the examples.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tandem.core.errors import InputError
from tandem.data.batching import Encoded
from tandem.data.curriculum import Competence
from tandem.data.preprocessing import Processors
from tandem.data.subword_regularization import MakeCutter, SampledTexts

if TYPE_CHECKING:
    from datasets import Dataset

Examples = Callable[[int], Encoded]
"""From an epoch's number to its examples, the same for the same number."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Makes examples anew for each epoch."""

    source_cutter: MakeCutter
    """Makes what cuts source texts at random, if anything does."""
    target_cutter: MakeCutter
    curriculum: Competence | None
    """Chooses among the examples."""
    seed: int

    def changes(self, processors: Processors) -> bool:
        """Whether examples are not the same in every epoch."""
        cutters = [self.source_cutter(one) for one in processors.source.tokenizers]
        cutters.append(self.target_cutter(processors.target))
        return self.curriculum is not None or any(cutter is not None for cutter in cutters)

    def examples(self, train: Encoded, split: "Dataset", processors: Processors) -> Examples:
        """Let the examples of a split change from epoch to epoch.

        :param train: the examples as they are without this.
        """
        sources = processors.source.resampled(
            self.source_cutter, split, train.rows, seed=f"{self.seed} source"
        )
        if sources is not None and train.memories is not None:
            raise InputError(
                "model.cache_encoder=true reads each source once, but tokenizer.dropout or "
                "tokenizer.sampling_alpha cuts it into other pieces in each epoch; leave that out "
                "for sources, or set model.cache_encoder=false."
            )
        cutter = self.target_cutter(processors.target)
        targets = None
        if cutter is not None:
            texts, seed = split["target"][:], f"{self.seed} target"
            targets = SampledTexts(processors.target, cutter, texts, train.rows, seed=seed)

        def of_epoch(epoch: int) -> Encoded:
            encoded = train
            if sources is not None:
                encoded = replace(encoded, source=sources(epoch))
            if targets is not None:
                encoded = replace(encoded, target=targets(epoch))
            return encoded if self.curriculum is None else self.curriculum(encoded, epoch)

        return of_epoch
