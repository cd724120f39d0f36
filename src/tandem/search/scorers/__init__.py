"""What has a say in what comes next beside the decoder."""

from tandem.search.scorers.base import Scorer
from tandem.search.scorers.coverage import CoveragePenalty
from tandem.search.scorers.ctc import CTCScorer
from tandem.search.scorers.language_model import LanguageModelScorer

__all__ = ["CTCScorer", "CoveragePenalty", "LanguageModelScorer", "Scorer"]
