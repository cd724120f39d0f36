"""The Lightning system around a model: loss, optimizer, search in evaluation, logging."""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import lightning as L
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.ranks import rank_count, sum_over_ranks
from tandem.core.shards import all_finite, whole_tensor
from tandem.core.types import Batch, Evaluated
from tandem.data.module import DataModule
from tandem.data.preprocessing import Processors
from tandem.inference.decoding import Decoding, encode, generate
from tandem.inference.teacher_forcing import TeacherForcedTotals
from tandem.models.seq2seq import Seq2Seq
from tandem.training.noise import Noise
from tandem.training.objective import Objective
from tandem.training.optimizer_groups import GroupedOptimizer
from tandem.training.self_critical import SelfCritical

STOPS = (
    "so training stops and the last good checkpoint stays; lower optimizer.lr, set "
    "trainer.gradient_clip_val=1 or use trainer.precision=32-true."
)


class Seq2SeqModule(L.LightningModule):
    """Trains a model and evaluates it by loss and by search.

    :param model: the network; the only thing here with parameters.
    :param processors: turn ids into text and back.
    :param decoding: finds the hypotheses of evaluation; bound to the target vocabulary.
    :param max_length: most symbols of an output, ``eos`` included.
    :param objective: what training makes small.
    :param risk: trains on outputs of the model's own, too; None: the objective is all.
    :param noise: what is done, one after the other, to batches of training.
    :param optimizer: makes an optimizer of the model's parameters.
    :param scheduler: makes Lightning's ``lr_scheduler`` from an optimizer.
    :param seed: dropout of step k follows from the seed, the rank and k, also after a resume.
    """

    def __init__(
        self,
        *,
        model: Seq2Seq,
        processors: Processors,
        decoding: Decoding,
        max_length: int,
        objective: Objective,
        risk: SelfCritical | None,
        noise: Sequence[Noise],
        optimizer: GroupedOptimizer,
        scheduler: Callable[..., dict[str, Any]],
        seed: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.processors = processors
        self.decoding = decoding
        self.max_length = max_length
        self.objective = objective
        self.risk = risk
        self.noise = noise
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        self.seed = seed
        self._totals = TeacherForcedTotals(self.model)
        self._accumulated = (0, 0)
        """Symbols of the first batch since the last optimizer step, and of all of them."""
        self._unchecked: list[tuple[int, Tensor, float]] = []
        """Steps, this rank's losses that nobody has looked at, and its shares."""

    def configure_optimizers(self) -> Any:
        """What the config chose."""
        optimizer = self.make_optimizer(self.model)
        # Else Lightning leaves the unscaling of fp16 gradients to fused optimizers, and refuses to
        # clip them before.
        optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
        return {"optimizer": optimizer, "lr_scheduler": self.make_scheduler(optimizer)}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed the dropout of this step."""
        step = self.trainer.fit_loop.epoch_loop.total_batch_idx
        seed_generators(hash((self.seed, self.global_rank, step)) % 2**63, self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch, weighted so that a step's gradient is that of all its symbols.

        Losses are summed over ranks, looked at and logged where values are written, as in other
        steps that would only take time; one is logged at the end of an epoch as well.
        """
        for noise in self.noise:
            batch = noise(self.model, batch, self.global_step)
        losses = self.losses(self.objective, batch)
        share = share_of_rank(batch, rank_count())
        self._unchecked.append((self.global_step + 1, losses["loss"].detach(), share))
        if self._step_is_logged():
            self._check_losses()
        if self._step_is_logged() or self.trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            means = means_over_ranks(losses, share)
            self.log_dict(means, batch_size=1)  # prog_bar=True would read a value from the device
        return losses["loss"] * (share * self._weight(batch))

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide accumulated gradients by the symbols of all their batches; log their norm.

        The norm is that before clipping, over all parameters; of several learning rates the
        largest is logged. The device is not waited for but where the values are written.
        """
        first, total = self._accumulated
        self._accumulated = (0, 0)
        parameters = chain.from_iterable(group["params"] for group in optimizer.param_groups)
        gradients = [p.grad for p in parameters if p.grad is not None]
        if first != total:
            torch._foreach_mul_(gradients, first / total)
        if self._step_is_logged():
            rate = max(float(group["lr"]) for group in optimizer.param_groups)
            norm = whole_tensor(torch.nn.utils.get_total_norm(gradients))
            self.log_dict({"train/lr": rate, "train/grad_norm": norm}, batch_size=1)

    def _weight(self, batch: Batch) -> float:
        """What a batch weighs among those whose gradients are accumulated.

        The gradient of a step is to be that of the mean over all target symbols of its batches,
        whose number is known at the last of them. Until then each counts in relation to the first
        one, so that gradients keep their size; Lightning's division by how many batches there
        should be is undone, as the last ones of an epoch may be fewer.
        """
        batches = self.trainer.accumulate_grad_batches
        if batches == 1:
            return 1.0
        first, total = self._accumulated
        first = first or batch.total_symbols
        self._accumulated = (first, total + batch.total_symbols)
        return batches * batch.total_symbols / first

    def _step_is_logged(self) -> bool:
        """Whether Lightning writes down the values of the step that is being made."""
        interval: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return bool(interval) and (self.global_step + 1) % interval == 0

    def _check_losses(self) -> None:
        """Refuse to go on after a loss that is not a finite number."""
        unchecked, self._unchecked = self._unchecked, []
        if not unchecked:
            return
        self.objective.warn()
        own = torch.stack([loss.float() * share for _, loss, share in unchecked])
        losses = (sum_over_ranks(own) / rank_count()).tolist()
        for (step, *_), loss in zip(unchecked, losses, strict=True):
            if not math.isfinite(loss):
                raise InputError(f"The loss of step {step} is {loss}, {STOPS}")

    def validation_step(self, batch: Batch, batch_idx: int) -> Evaluated:  # type: ignore[override]
        """Loss and search on a validation batch."""
        return self._evaluate(batch, "validation")

    def test_step(self, batch: Batch, batch_idx: int) -> Evaluated:  # type: ignore[override]
        """Loss and search on a test batch."""
        return self._evaluate(batch, "test")

    def _check_weights(self) -> None:
        """Refuse weights that the last step spoilt, before they are scored, saved or kept."""
        if not all_finite(self.parameters()):
            raise InputError(f"Step {self.global_step} made weights that are not finite, {STOPS}")

    def on_train_epoch_end(self) -> None:
        """Look at the losses since the last log, and at the weights."""
        self._check_losses()
        self._check_weights()

    def on_validation_epoch_start(self) -> None:
        """Look at the losses since the last log and at the weights, and start counting."""
        self._check_losses()
        self._check_weights()
        self._totals = TeacherForcedTotals(self.model)

    def on_test_epoch_start(self) -> None:
        """Start counting."""
        self._totals = TeacherForcedTotals(self.model)

    def on_validation_epoch_end(self) -> None:
        """Log the means."""
        self._log_totals("val")

    def on_test_epoch_end(self) -> None:
        """Log the means."""
        self._log_totals("test")

    def losses(self, objective: Objective, batch: Batch) -> dict[str, Tensor]:
        """``loss``, and its parts by name if there are several."""
        if self.risk is None:
            return objective(self.model, batch)
        return self.risk(
            objective,
            self.model,
            batch,
            target=self.processors.target,
            max_length=self.max_length,
        )

    def _evaluate(self, batch: Batch, split: str) -> Evaluated:
        if not len(batch.indices):
            return Evaluated(indices=[], sources=[], hypotheses=[], references=[])
        memory = encode(self.model, batch)
        self._totals.add(memory, batch)
        found = generate(self.model, self.decoding, memory, self.max_length)
        best = [hypotheses[0].tokens for hypotheses in found]
        indices = batch.indices.tolist()
        data = self._data()
        return Evaluated(
            indices=indices,
            sources=data.sources(split, indices),
            hypotheses=[self.processors.target.decode(tokens) for tokens in best],
            references=data.references(split, indices),
        )

    def _log_totals(self, prefix: str) -> None:
        self._totals.sums = sum_over_ranks(self._totals.sums.to(self.device)).cpu()
        self.log_dict(self._totals.means(prefix))

    def _data(self) -> DataModule:
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, DataModule)
        return data


def seed_generators(seed: int, device: torch.device) -> None:
    """Seed the generator of the host and that of a device.

    ``torch.manual_seed`` seeds those of all kinds of device there may be, and for each that is not
    in use it writes down the stack, which takes up to half a millisecond.
    """
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


def share_of_rank(batch: Batch, ranks: int) -> float:
    """By what a rank's mean loss is multiplied, so that the ranks' mean is the batch's mean.

    Ranks may have unequally many symbols. Where a batch has too few rows for all ranks, each has
    all of its symbols, and the mean of their means is the batch's own.
    """
    if batch.num_symbols == batch.total_symbols:
        return 1.0
    return batch.num_symbols * ranks / batch.total_symbols


def means_over_ranks(losses: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """``train/<name>``, means over the symbols of all ranks; the host waits for none of them."""
    own = torch.stack([loss.detach().float() for loss in losses.values()])
    means = sum_over_ranks(own * share) / rank_count()
    return {f"train/{name}": mean for name, mean in zip(losses, means, strict=True)}
