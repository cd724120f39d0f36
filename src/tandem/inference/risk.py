"""How wrong single outputs are, by any metric that can tell."""

from tandem.core.errors import InputError
from tandem.metrics.base import Metric, directions_of


class Risk:
    """``1 - score / 100`` of one text against its references, or ``score / 100`` of an error rate.

    :param metric: its first score counts.
    :param key: where the metric is chosen, for the error.
    :raises InputError: if the metric cannot tell a right output from a wrong one.
    """

    def __init__(self, metric: Metric, *, key: str) -> None:
        self.metric = metric
        ((right,), (wrong,)) = (self._scores([text], [["a b c d"]]) for text in ("a b c d", "e"))
        name, *_ = directions_of(metric)
        if right == wrong:
            raise InputError(
                f"{type(metric).__name__} cannot judge an output, as it does not compare single "
                f"texts; choose another one, such as {key}=chrf."
            )
        self.is_error_rate = directions_of(metric)[name] == "min"

    def __call__(self, hypotheses: list[str], references: list[list[str]]) -> list[float]:
        """The risk of each hypothesis against its own references; 0 is right."""
        scores = self._scores(hypotheses, references)
        return [score / 100 if self.is_error_rate else 1 - score / 100 for score in scores]

    def _scores(self, hypotheses: list[str], references: list[list[str]]) -> list[float]:
        counts = self.metric.counts(hypotheses, references)
        return [next(iter(self.metric.scores(row).values())) for row in counts]
