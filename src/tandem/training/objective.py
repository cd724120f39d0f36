"""The training objective: cross-entropy, CTC, coverage, R-Drop and distillation."""

import logging

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.types import Batch
from tandem.data.preprocessing import Processors
from tandem.inference.decoding import encode
from tandem.inference.teacher_forcing import TeacherForced, ctc_losses, teacher_force
from tandem.models.seq2seq import Seq2Seq
from tandem.training.distillation import Teacher, distillation_loss
from tandem.training.losses import LabelSmoothedCrossEntropy, coverage_loss
from tandem.training.r_drop import passes_disagree

logger = logging.getLogger(__name__)


class Objective:
    """``(1 - w) L_attention + w L_ctc + c L_coverage + r L_drop``, each a target symbol's mean.

    The first two: Kim et al. (2017), eq. 9; the third: See et al. (2017), eq. 13; the fourth:
    R-Drop of Liang et al. (2021), eq. 4, where a batch goes through the model twice, with other
    dropout. What has no weight is not computed. With a teacher the first is ``(1 - t)`` times what
    it was and ``t L_distillation``: Hinton et al. (2015), section 2.

    :param smoothing: of the decoder's loss, in [0, 1).
    :param ctc_weight: w in [0, 1]; above 0 the model has a CTC layer, which this trains.
    :param coverage_weight: c, at least 0; needs an attention with weights.
    :param r_drop_weight: r, at least 0: half of the paper's alpha, as its other loss is the sum
        over both passes, not their mean.
    :param teacher: whose distributions are learnt, too; None: there is none.
    :param teacher_weight: t, above 0 and at most 1.
    :param teacher_temperature: by which logits of both are divided in that part, above 0.
    """

    def __init__(
        self,
        *,
        smoothing: float,
        ctc_weight: float,
        coverage_weight: float,
        r_drop_weight: float,
        teacher: Teacher | None,
        teacher_weight: float,
        teacher_temperature: float,
    ) -> None:
        if not 0 <= ctc_weight <= 1:
            raise InputError(f"`objective.ctc_weight` must be from 0 to 1, but is {ctc_weight}.")
        for name, weight in (("coverage", coverage_weight), ("r_drop", r_drop_weight)):
            if weight < 0:
                raise InputError(f"`objective.{name}_weight` must be at least 0, but is {weight}.")
        self.cross_entropy = LabelSmoothedCrossEntropy(smoothing=smoothing)
        self.compiled = False
        self.ctc_weight = ctc_weight
        self.coverage_weight = coverage_weight
        self.r_drop_weight = r_drop_weight
        self.teacher = teacher
        self.teacher_weight = teacher_weight
        self.teacher_temperature = teacher_temperature
        self._examples, self._unaligned = 0, torch.tensor(0)
        """What CTC has seen, and what of it has no alignment, until that is said once."""
        self._has_warned = False

    def compile(self) -> None:
        """From now on what is done to logits off a CPU becomes one kernel."""
        self.compiled = self.cross_entropy.compiled = True

    def check(self, processors: Processors) -> None:
        """Refuse a teacher that reads or writes otherwise than the run does."""
        if self.teacher is not None:
            self.teacher.check(processors)

    def __call__(self, model: Seq2Seq, batch: Batch) -> dict[str, Tensor]:
        """``loss``, the sum to differentiate, and its parts by name if there are several."""
        if self.r_drop_weight:
            batch = batch.doubled()
        memory = encode(model, batch)
        forced = teacher_force(model, memory, batch)
        loss = attention = self._attention_loss(model, forced)
        parts: dict[str, Tensor] = {}
        if self.teacher is not None:
            parts["distillation_loss"] = distillation_loss(
                *(model, forced, self.teacher, batch),
                temperature=self.teacher_temperature,
                compiled=self.compiled,
            )
            share = self.teacher_weight
            loss = (1 - share) * loss + share * parts["distillation_loss"]
        if self.ctc_weight:
            parts["ctc_loss"] = self._ctc_loss(model, memory, batch)
            loss = (1 - self.ctc_weight) * loss + self.ctc_weight * parts["ctc_loss"]
        if self.coverage_weight:
            assert forced.weights is not None
            parts["coverage_loss"] = coverage_loss(forced.weights(), batch.target_mask)
            loss = loss + self.coverage_weight * parts["coverage_loss"]
        if self.r_drop_weight:
            parts["r_drop_loss"] = passes_disagree(model, forced, compiled=self.compiled)
            loss = loss + self.r_drop_weight * parts["r_drop_loss"]
        return {"loss": loss, "attention_loss": attention, **parts} if parts else {"loss": loss}

    def warn(self) -> None:
        """Say once what CTC cannot learn from; this reads from the device."""
        if self._has_warned or not self._examples or not int(self._unaligned):
            return
        self._has_warned = True
        logger.warning(
            "CTC learns nothing from %s of the %s examples so far, which have fewer memory "
            "positions than their targets need; lengthen the memory (a frontend that shortens "
            "less) or shorten the targets (a tokenizer with larger symbols). This is logged once",
            int(self._unaligned),
            self._examples,
        )

    def _attention_loss(self, model: Seq2Seq, forced: TeacherForced) -> Tensor:
        """What the decoder says of each symbol."""
        if forced.copied is None:
            return self.cross_entropy(*model.output.factors(forced.features), forced.target)
        logits = model.output(forced.features)
        return self.cross_entropy.copying(logits, forced.target, forced.copied)

    def _ctc_loss(self, model: Seq2Seq, memory: Memory, batch: Batch) -> Tensor:
        """What CTC says of whole targets, a symbol; those that cannot be aligned count as 0."""
        losses, possible = ctc_losses(model, memory, batch)
        if not self._has_warned:
            self._examples += len(possible)
            self._unaligned = self._unaligned.to(possible.device) + (~possible).sum()
        return losses.sum() / batch.num_symbols
