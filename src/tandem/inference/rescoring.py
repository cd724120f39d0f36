"""Ranking outputs by their text with a language model: n-best rescoring.

Mikolov et al. (2010), section 3, rescore lists of speech recognition so. Unlike shallow fusion it
needs no vocabulary in common, as the language model reads texts.
"""

from collections.abc import Iterable

import torch

from tandem.core.types import Hypothesis
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.bundle import Bundle, load_bundle
from tandem.inference.networks import check_language_model
from tandem.inference.ranking import Ranker


class LanguageModelRanker(Ranker):
    """Adds ``weight`` times a language model's log-probability of a text to its score.

    :param bundle: the language model.
    :param weight: of its log-probabilities.
    :param length_penalty: average: they are divided by their number of symbols, ``eos`` included,
        as scores of search=beam are; none: they are not.
    """

    def __init__(self, bundle: Bundle, *, weight: float, length_penalty: str) -> None:
        self.bundle, self.weight, self.length_penalty = bundle, weight, length_penalty

    def __call__(self, hypotheses: list[Hypothesis], target: Tokenizer) -> list[Hypothesis]:
        """The same outputs with their new scores."""
        texts = [target.decode(hypothesis.tokens) for hypothesis in hypotheses]
        scored = self.bundle.score([""] * len(texts), texts)
        averages = self.length_penalty == "average"
        ranked = [
            Hypothesis(
                hypothesis.tokens,
                hypothesis.score
                + self.weight * pair.log_prob / (len(pair.tokens) if averages else 1),
            )
            for hypothesis, pair in zip(hypotheses, scored, strict=True)
        ]
        return sorted(ranked, key=lambda hypothesis: -hypothesis.score)

    def to(self, device: torch.device) -> None:
        """Move the language model to a device."""
        self.bundle.to(device)


def read_language_model_ranker(
    *, path: str, weight: float, length_penalty: str, trusted: Iterable[str] = ()
) -> LanguageModelRanker:
    """Read a language model that ranks.

    :param path: the folder of its run, or of its bundle.
    :param weight: see :class:`LanguageModelRanker`.
    :param length_penalty: likewise.
    :param trusted: packages beside Tandem whose classes it may be made of.
    :raises InputError: if it is unusable, or reads sources.
    """
    bundle = load_bundle(path, trusted=trusted)
    check_language_model(bundle.processors, path, why="outputs are ranked by")
    return LanguageModelRanker(bundle, weight=weight, length_penalty=length_penalty)
