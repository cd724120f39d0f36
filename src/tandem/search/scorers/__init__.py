"""What has a say in what comes next beside the decoder."""

from tandem.search.scorers.base import Scorer
from tandem.search.scorers.coverage import CoveragePenalty
from tandem.search.scorers.ctc import CTCScorer

__all__ = ["CTCScorer", "CoveragePenalty", "Scorer"]
