"""Minimum Bayes risk by hand."""

from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.data.tokenizers import WordTokenizer
from tandem.inference.mbr import MinimumBayesRisk
from tandem.metrics import WER, ExactMatch, Metric

TARGET = WordTokenizer(
    shared=False, lowercase=False, normalization="none", vocabulary_size=20, min_frequency=1
).train(["a b c d e"])


def ranked(metric: Metric, *texts: str) -> list[str]:
    """Texts given the best-scored first, in their new order."""
    hypotheses = [
        Hypothesis(tokens=[*ids, SPECIAL_IDS.eos], score=-place)
        for place, ids in enumerate(TARGET.encode_batch(list(texts)))
    ]
    after = MinimumBayesRisk(metric)(hypotheses, TARGET)
    assert sorted(one.score for one in after) == sorted(one.score for one in hypotheses)
    return [TARGET.decode(one.tokens) for one in after]


def test_with_exact_match_the_majority_wins() -> None:
    exact = ExactMatch(lowercase=False)
    assert ranked(exact, "a", "b", "c", "b") == ["b", "b", "a", "c"]
    assert ranked(exact, "c", "a", "b") == ["c", "a", "b"]  # ties stay as search ranked them


def test_with_an_error_rate_the_one_in_the_middle_wins() -> None:
    """Errors a reference: a b c d 0 + 2/2 + 1/3; a b c 1/4 + 1/2 + 0; a b 2/4 + 0 + 1/3."""
    wer = WER(normalization="none")
    assert ranked(wer, "a b c d", "a b", "a b c") == ["a b c", "a b", "a b c d"]
