"""Scores of generated text at the end of validation and test."""

import logging

import lightning as L

from tandem.callbacks.evaluated_rows import LOG_PREFIX, EvaluatedRows, Split
from tandem.core.types import Evaluated
from tandem.metrics import Metric

log = logging.getLogger(__name__)


class TextMetrics(EvaluatedRows):
    """Logs ``val/<score>`` and ``test/<score>`` for every score of every metric.

    Scores are corpus scores over all ranks, made by the first one. An epoch in which the module
    returned no texts logs nothing.

    :param metrics: what to compute; all of them see the same hypotheses.
    """

    def __init__(self, *, metrics: list[Metric]) -> None:
        super().__init__(count=None)
        self.metrics = metrics
        self.signatures: dict[str, str] = {}

    def use(
        self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split, rows: Evaluated
    ) -> None:
        """Score the split."""
        signatures = {}
        for metric in self.metrics:
            found = metric(rows.hypotheses, rows.references) if trainer.is_global_zero else {}
            found = trainer.strategy.broadcast(found)
            scores = {f"{LOG_PREFIX[split]}/{name}": value for name, value in found.items()}
            pl_module.log_dict(scores, prog_bar=True)
            signatures.update(dict.fromkeys(scores, metric.signature))
        self._log_signatures(trainer, signatures)

    def _log_signatures(self, trainer: L.Trainer, signatures: dict[str, str]) -> None:
        """Say how numbers come about: to the loggers for each split, in the log once."""
        new = {name: text for name, text in signatures.items() if name not in self.signatures}
        if not new:
            return
        known = set(self.signatures.values())
        self.signatures.update(new)
        if trainer.is_global_zero:
            for name, text in new.items():
                if text not in known:
                    log.info("%s is %s", name, text)
            for logger in trainer.loggers:
                logger.log_hyperparams({"metric_signatures": dict(self.signatures)})
