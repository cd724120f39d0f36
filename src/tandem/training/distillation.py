"""Knowledge distillation: a student learns what a teacher finds probable at each position."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from tandem.core.errors import InputError
from tandem.core.types import FIRST_OUTPUT, Batch
from tandem.data.preprocessing import Processors
from tandem.inference.bundle import load_bundle
from tandem.inference.decoding import encode
from tandem.inference.teacher_forcing import (
    TeacherForced,
    log_probs,
    rows_of_chunk,
    teacher_force,
)
from tandem.models import Seq2Seq
from tandem.training.chunked_losses import distillation


class Teacher:
    """A trained model in evaluation mode; it is no part of the student, its checkpoints or bundle.

    :param folder: of its run, as the user names it.
    :param model: without gradients from now on.
    :param processors: what its ids stand for.
    """

    def __init__(self, folder: str, model: Seq2Seq, processors: Processors) -> None:
        self.folder = folder
        self.model = model.eval().requires_grad_(False)
        self.processors = processors

    def check(self, processors: Processors) -> None:
        """Refuse a student whose ids stand for something else.

        :param processors: of the student.
        :raises InputError: if it reads sources or writes targets in other symbols.
        """
        own, other = self.processors, processors
        sides = {
            "source": own.source.identity() == other.source.identity(),
            "target": own.target.to_json() == other.target.to_json(),
        }
        differing = [side for side, is_same in sides.items() if not is_same]
        if not differing:
            return
        if own.source.tokenizers and other.source.tokenizers:
            entries = ", ".join(f"{side}_vocabulary: {self.folder}" for side in differing)
            remedy = f"take it over, init_from={{{entries}}}, with the data.truncate_source it had"
        else:
            remedy = "choose the dataset, features and tokenizer that it was trained with"
        raise InputError(
            f"objective.teacher={self.folder} has another {' and another '.join(differing)} "
            f"vocabulary or reader than this run; {remedy}, or set objective.teacher=null."
        )

    @torch.no_grad()
    def force(self, student: Seq2Seq, batch: Batch) -> TeacherForced:
        """One pass over the targets of a batch, where the student is and in its precision.

        It reads the sources itself, also those that a frozen encoder of the student has read.
        """
        own = next(student.parameters())
        self.model.to(own.device, own.dtype)
        batch = batch._replace(memory=None)
        return teacher_force(self.model, encode(self.model, batch), batch)

    @torch.no_grad()
    def probabilities(self, forced: TeacherForced, rows: Tensor, temperature: float) -> Tensor:
        """Its distribution at some positions (R',), flattened by a temperature: (R', V)."""
        return (log_probs(self.model, forced, rows) / temperature).softmax(-1)


def read_teacher(folder: str, *, trusted: Iterable[str]) -> Teacher:
    """Load the model of a run's folder, or of a bundle.

    :param trusted: packages or modules beside Tandem whose classes it may be made of.
    :raises InputError: if there is none.
    """
    bundle = load_bundle(folder, trusted=trusted)
    if not isinstance(bundle.model, Seq2Seq):
        raise InputError(
            f"objective.teacher={folder} is an export without weights of its own; give the run's "
            "folder."
        )
    return Teacher(folder, bundle.model, bundle.processors)


def distillation_loss(
    student: Seq2Seq,
    forced: TeacherForced,
    teacher: Teacher,
    batch: Batch,
    *,
    temperature: float,
    compiled: bool,
) -> Tensor:
    """``T^2 KL(p || q)``, the mean over target symbols, of the distributions flattened by T.

    Hinton et al. (2015), section 2, at each target symbol: word-level distillation of Kim & Rush
    (2016), eq. 5, but for the teacher's entropy, which no gradient depends on.

    :param forced: the student's pass.
    """
    of_teacher = teacher.force(student, batch)

    def p(rows: Tensor) -> Tensor:
        return teacher.probabilities(of_teacher, rows, temperature)

    if forced.copied is None:
        return distillation(
            *student.output.factors(forced.features),
            p,
            temperature=temperature,
            compiled=compiled,
        )

    def at(rows: Tensor) -> Tensor:
        scores = log_probs(student, forced, rows)[:, FIRST_OUTPUT:] / temperature
        right = p(rows)[:, FIRST_OUTPUT:]
        return -(torch.special.entr(right) + right * scores.log_softmax(-1)).sum()

    positions = torch.arange(len(forced.target), device=forced.target.device)
    chunks = positions.split(rows_of_chunk(forced.features, student.vocabulary_size))
    total = torch.stack([checkpoint(at, rows, use_reentrant=False) for rows in chunks]).sum()
    return temperature**2 * total / len(positions)
