"""Ensembles: several models whose probabilities are averaged at each step."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.state import State
from tandem.search.base import Step

AVERAGES = ("probability", "log")


def checked_average(average: str) -> str:
    """The same value; raises InputError if it is no way of averaging."""
    if average not in AVERAGES:
        raise InputError(f"`average` must be one of {', '.join(AVERAGES)}, but is {average!r}.")
    return average


def start_together(started: Sequence[tuple[Step, State]], *, average: str) -> tuple[Step, State]:
    """One step made of several, and its state before the first symbol.

    :param started: the models' own steps over one vocabulary, and their states for the same
        sources.
    :param average: probability: ``log(1/n sum p_i)``, where one confident model is enough; log:
        ``1/n sum log p_i``, where each can object. The latter is not scaled to sum to 1.
    """
    steps = [step for step, _ in started]

    def scores(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        answers = [step.scores(tokens, one) for step, one in zip(steps, state.carry, strict=True)]
        log_probs = torch.stack(
            [step.log_probs(found) for step, (found, _) in zip(steps, answers, strict=True)]
        )  # (n, N, V)
        if average == "log":
            joined = log_probs.mean(0)
        else:
            joined = log_probs.logsumexp(0) - math.log(len(steps))
        return joined, State(carry=tuple(after for _, after in answers))

    return Step(scores, normalized=True), State(carry=tuple(state for _, state in started))
