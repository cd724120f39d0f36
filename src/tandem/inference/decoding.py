"""From sources to outputs: what training, evaluation and generation do alike with a model."""

from collections.abc import Sequence

import torch

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Batch, Hypothesis
from tandem.models.assemble import has_weights
from tandem.models.coverage import CoverageStep
from tandem.models.joint import JointStep
from tandem.models.seq2seq import Seq2Seq
from tandem.models.stepper import Stepper
from tandem.search.base import Search, Step
from tandem.search.ensemble import start_together


def encode(model: Seq2Seq, batch: Batch) -> Memory:
    """Read a batch's sources."""
    return model.encode(batch.source, batch.source_mask)


def generate(
    model: Seq2Seq, search: Search, memory: Memory, max_length: int
) -> list[list[Hypothesis]]:
    """Search for outputs of the sources in memory, the best first."""
    step, state = start_search(model, search, memory)
    first = torch.full((len(memory.mask),), SPECIAL_IDS.bos, device=memory.mask.device)
    return search(step, state, first=first, max_length=max_length)


def generate_together(
    models: Sequence[Seq2Seq],
    search: Search,
    memories: Sequence[Memory],
    max_length: int,
    *,
    average: str,
) -> list[list[Hypothesis]]:
    """Search for outputs that several models find good together.

    :param memories: what each model has read of the same sources.
    :param average: see :func:`start_together`.
    """
    started = [
        start_search(model, search, memory) for model, memory in zip(models, memories, strict=True)
    ]
    step, state = start_together(started, average=average)
    mask = memories[0].mask
    first = torch.full((len(mask),), SPECIAL_IDS.bos, device=mask.device)
    return search(step, state, first=first, max_length=max_length)


def start_search(model: Seq2Seq, search: Search, memory: Memory) -> tuple[Step, State]:
    """The next-symbol function that a search wants, and the state before the first symbol."""
    stepper: Stepper = model
    if search.coverage_penalty:
        stepper = CoverageStep(model, search.coverage_penalty)
    weight = _ctc_weight(model, search)
    if weight:
        assert model.ctc is not None  # see check_search
        stepper = JointStep(stepper, model.ctc, weight)
    return Step(stepper.step, stepper.normalized), stepper.start(memory)


def check_search(model: Seq2Seq, search: Search) -> None:
    """Refuse a search that asks for what the model does not have."""
    if _ctc_weight(model, search) and model.ctc is None:
        raise InputError(
            f"search.ctc_weight={search.ctc_weight} needs a model with a CTC layer; train it with "
            "objective.ctc_weight above 0 or set search.ctc_weight=null."
        )
    if search.coverage_penalty and not has_weights(model):
        raise InputError(
            f"search.coverage_penalty={search.coverage_penalty} needs attention weights, which "
            "this model's attention does not have; choose another attention or set "
            "search.coverage_penalty=0."
        )


def _ctc_weight(model: Seq2Seq, search: Search) -> float:
    """The search's own, or that of training."""
    return model.ctc_weight if search.ctc_weight is None else search.ctc_weight
