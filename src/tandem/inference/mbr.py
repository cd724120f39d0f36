"""Choosing among outputs by what they have in common: minimum Bayes risk."""

from collections import Counter

from tandem.core.types import Hypothesis
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.ranking import Ranker
from tandem.inference.risk import Risk
from tandem.metrics.base import Metric


class MinimumBayesRisk(Ranker):
    """Ranks outputs by their mean score against all of the same source, each as a reference.

    Kumar & Byrne (2004); with samples, each of which counts once however probable it is, the mean
    estimates the expected utility (Eikema & Aziz 2020). n different outputs make n * n pairs to
    score. Hypotheses keep their own scores.

    :param metric: see :class:`Risk`.
    :raises InputError: if the metric cannot tell a right output from a wrong one.
    """

    def __init__(self, metric: Metric) -> None:
        self.risk = Risk(metric, key="metric@mbr")

    def __call__(self, hypotheses: list[Hypothesis], target: Tokenizer) -> list[Hypothesis]:
        """The same hypotheses, the one of least risk first; of equals the first stays first."""
        texts = [target.decode(hypothesis.tokens) for hypothesis in hypotheses]
        counts = Counter(texts)
        others = [[other] for other in counts]
        risks = {
            text: sum(
                n * risk
                for n, risk in zip(
                    counts.values(), self.risk([text] * len(others), others), strict=True
                )
            )
            for text in counts
        }
        ranked = sorted(zip(texts, hypotheses, strict=True), key=lambda pair: risks[pair[0]])
        return [hypothesis for _, hypothesis in ranked]
