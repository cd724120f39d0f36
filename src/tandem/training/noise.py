"""Noise on training batches: word dropout and scheduled sampling."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.modes import evaluation_mode
from tandem.core.types import SPECIAL_IDS, Batch
from tandem.inference.decoding import encode
from tandem.inference.teacher_forcing import (
    TeacherForced,
    log_probs,
    rows_of_chunk,
    teacher_force,
)
from tandem.models.seq2seq import Seq2Seq
from tandem.search.sampling import draw


class Noise(ABC):
    """Changes what a model reads in training, or how, at random; what it is to write stays."""

    is_uniform: ClassVar[bool] = True
    """Whether the same layers are called, equally often, and learn, whatever a rank draws."""
    changes_sources: bool = False
    """Whether the model reads other sources than those of the data."""

    @abstractmethod
    def check(self, model: Seq2Seq) -> None:
        """Refuse a model for which this makes no sense.

        :raises InputError: in one sentence.
        """

    @abstractmethod
    def __call__(self, model: Seq2Seq, batch: Batch, step: int) -> Batch:
        """Another batch in place of this one.

        :param model: what learns from it.
        :param step: optimizer steps so far.
        """


class WordDropout(Noise):
    """Replaces symbols by ``unk``: Bowman et al. (2016), section 3.1, here on both sides.

    :param source: with which probability on the source; 0 if it is no text.
    :param target: with which probability on what the decoder reads; ``bos`` and ``eos`` stay.
    """

    def __init__(self, *, source: float, target: float) -> None:
        self.source = checked_probability("word_dropout.source", source)
        self.target = checked_probability("word_dropout.target", target)
        self.changes_sources = source > 0

    def check(self, model: Seq2Seq) -> None:
        """See :class:`Noise`."""
        if self.source and model.frontend.media != "text":
            raise InputError(
                "noise.word_dropout.source needs sources that are text, but `features` is set; "
                "set noise.word_dropout.source=0."
            )

    def __call__(self, model: Seq2Seq, batch: Batch, step: int) -> Batch:
        """See :class:`Noise`."""
        return batch._replace(
            source=_with_unknown(batch.source, self.source) if self.source else batch.source,
            target_in=_with_unknown(batch.target_in, self.target),
        )


class ScheduledSampling(Noise):
    """Lets the decoder read what it would have written: Bengio et al. (2015), section 2.4.

    As in Mihaylova & Martins (2019), whose whole targets suit every decoder: a first pass over
    the right symbols, without dropout or gradient, draws the model's own ones.

    :param schedule: ``linear`` or ``inverse_sigmoid``.
    :param probability: of reading an own symbol at the schedule's end.
    :param start: the step at which the schedule begins.
    :param steps: how long the linear schedule takes; k of the inverse sigmoid.
    """

    is_uniform = False

    def __init__(self, *, schedule: str, probability: float, start: int, steps: int) -> None:
        if schedule not in ("linear", "inverse_sigmoid"):
            raise InputError(
                "`noise.scheduled_sampling.schedule` must be linear or inverse_sigmoid, but is "
                f"{schedule!r}."
            )
        if steps < 1:
            raise InputError(
                f"`noise.scheduled_sampling.steps` must be at least 1, but is {steps}."
            )
        self.schedule = schedule
        self.probability = checked_probability("scheduled_sampling.probability", probability)
        self.start = start
        self.steps = steps

    def check(self, model: Seq2Seq) -> None:
        """See :class:`Noise`; it makes sense for all."""

    def __call__(self, model: Seq2Seq, batch: Batch, step: int) -> Batch:
        """See :class:`Noise`."""
        chosen = _chosen(batch, self.probability_at(step))
        if not len(chosen):
            return batch
        behind = batch.target_positions[chosen] + 1  # counted over B x T
        target_in = batch.target_in.flatten().index_copy(
            0, behind, self._own_symbols(model, batch, chosen)
        )
        return batch._replace(target_in=target_in.view_as(batch.target_in))

    def probability_at(self, step: int) -> float:
        """Of reading an own symbol in a step: 1 - e_i of the paper, scaled."""
        done = max(0, step - self.start) / self.steps
        if self.schedule == "linear":
            return self.probability * min(1.0, done)
        if step < self.start:
            return 0.0
        return self.probability / (1 + self.steps * math.exp(-done))

    @staticmethod
    @torch.no_grad()
    def _own_symbols(model: Seq2Seq, batch: Batch, chosen: Tensor) -> Tensor:
        """What the model writes at some (N,) of the R real positions.

        Drawn in the mode of evaluation, which has no dropout.
        """
        with evaluation_mode(model):
            forced = teacher_force(model, encode(model, batch), batch)
            size = rows_of_chunk(forced.features, model.vocabulary_size)
            return torch.cat([_drawn(model, forced, part) for part in chosen.split(size)])


def _chosen(batch: Batch, probability: float) -> Tensor:
    """Which (N,) of the R real positions, each with a probability, if one is behind it.

    How many they are, the host draws first, so that it need not ask the device; of each example
    all but the last, ``eos``, have one behind them.
    """
    most = batch.num_symbols - len(batch.indices)
    count = int(np.random.default_rng(torch.initial_seed()).binomial(most, probability))
    has_next = torch.nn.functional.pad(batch.target_mask[:, 1:], (0, 1)).flatten()  # (B x T)
    chances = torch.rand(batch.num_symbols, device=has_next.device)
    return torch.where(has_next[batch.target_positions], chances, 2.0).argsort()[:count]


def _drawn(model: Seq2Seq, forced: TeacherForced, rows: Tensor) -> Tensor:
    """A symbol of the model's distribution at some positions (R',)."""
    chances = torch.rand(len(rows), dtype=torch.float64, device=rows.device)
    return draw(log_probs(model, forced, rows), chances)


def _with_unknown(ids: Tensor, probability: float) -> Tensor:
    """Ids (B, L), some of them unknown; special ones stay."""
    lost = torch.rand(ids.shape, device=ids.device) < probability
    return ids.masked_fill(lost & (ids > SPECIAL_IDS.unk), SPECIAL_IDS.unk)


def checked_probability(name: str, probability: float) -> float:
    """The same value; raises InputError if it is no probability of a noise, which is below 1."""
    if not 0 <= probability < 1:
        raise InputError(f"`noise.{name}` must be at least 0 and below 1, but is {probability}.")
    return probability
