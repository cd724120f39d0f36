"""Scores of generated text: strings in, numbers out."""

from tandem.metrics.base import Metric
from tandem.metrics.bleu import BLEU
from tandem.metrics.cer import CER
from tandem.metrics.chrf import ChrF
from tandem.metrics.cider import CIDEr
from tandem.metrics.exact_match import ExactMatch
from tandem.metrics.per import PER
from tandem.metrics.rouge import ROUGE
from tandem.metrics.ter import TER
from tandem.metrics.wer import WER

__all__ = ["BLEU", "CER", "PER", "ROUGE", "TER", "WER", "CIDEr", "ChrF", "ExactMatch", "Metric"]
