"""Choosing among outputs by what they have in common: minimum Bayes risk."""

from collections import Counter

from tandem.core.errors import InputError
from tandem.core.types import Hypothesis
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.metrics import Metric


class MinimumBayesRisk:
    """Ranks outputs by their mean score against all of the same source, each as a reference.

    Kumar & Byrne (2004); with samples, each of which counts once however probable it is, the mean
    estimates the expected utility (Eikema & Aziz 2020). The metric scores one pair at
    a time, n different outputs cost n * n calls. Hypotheses keep their own scores.

    :param metric: its first score is the utility, or the risk if less of it is better.
    :raises InputError: if the metric cannot tell a right output from a wrong one.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        right, wrong = self._score("a b c d", "a b c d"), self._score("e", "a b c d")
        if right == wrong:
            raise InputError(
                f"{type(metric).__name__} cannot choose among outputs, as it does not compare "
                "single texts; choose another one, such as metric@mbr=chrf."
            )
        self.sign = 1 if right > wrong else -1

    def __call__(self, hypotheses: list[Hypothesis], target: Tokenizer) -> list[Hypothesis]:
        """The same hypotheses, the one of least risk first; of equals the first stays first."""
        texts = [target.decode(hypothesis.tokens) for hypothesis in hypotheses]
        counts = Counter(texts)
        utility = {
            text: self.sign * sum(n * self._score(text, other) for other, n in counts.items())
            for text in counts
        }
        ranked = sorted(zip(texts, hypotheses, strict=True), key=lambda pair: -utility[pair[0]])
        return [hypothesis for _, hypothesis in ranked]

    def _score(self, hypothesis: str, reference: str) -> float:
        return next(iter(self.metric([hypothesis], [[reference]]).values()))
