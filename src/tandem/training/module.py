"""The Lightning system around a model: loss, optimizer, search in evaluation, logging."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import lightning as L
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.ranks import rank_count, sum_over_ranks
from tandem.core.types import Batch, Evaluated
from tandem.data.module import DataModule
from tandem.data.processors import Processors
from tandem.inference.decoding import Decoding, encode, generate
from tandem.inference.teacher_forcing import ForcedTotals
from tandem.models.seq2seq import Seq2Seq
from tandem.training.noise import Noise
from tandem.training.objective import Objective
from tandem.training.self_critical import SelfCritical


class Seq2SeqModule(L.LightningModule):
    """Trains a model and evaluates it by loss and by search.

    :param model: the network; the only thing here with parameters.
    :param processors: turn ids into text and back.
    :param decoding: finds the hypotheses of evaluation; bound to the target vocabulary.
    :param max_length: most symbols of an output, ``eos`` included.
    :param objective: what training makes small.
    :param risk: trains on outputs of the model's own, too; None: the objective is all.
    :param noise: what is done, one after the other, to batches of training.
    :param optimizer: makes an optimizer from parameters.
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
        optimizer: Callable[..., torch.optim.Optimizer],
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
        self.optimizer_factory = optimizer
        self.scheduler_factory = scheduler
        self.seed = seed
        self._totals = ForcedTotals(self.model)

    def configure_optimizers(self) -> Any:
        """What the config chose."""
        optimizer = self.optimizer_factory(self.model.parameters())
        if self.trainer.precision == "bf16-mixed":
            # Lightning refuses to clip under a fused optimizer, which only fp16's scaler needs.
            optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
        return {"optimizer": optimizer, "lr_scheduler": self.scheduler_factory(optimizer)}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed the dropout of this step."""
        step = self.trainer.fit_loop.epoch_loop.total_batch_idx
        torch.manual_seed(hash((self.seed, self.global_rank, step)) % 2**63)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The mean loss of a batch; stops the run if it is not a finite number."""
        for noise in self.noise:
            batch = noise(self.model, batch, self.global_step)
        losses = self._losses(batch)
        means, share = whole_batch(losses, int(batch.target_mask.sum()))
        if not math.isfinite(means["train/loss"]):
            raise InputError(
                f"The loss of step {self.global_step + 1} is {means['train/loss']}, so training "
                "stops and the last good checkpoint stays; lower optimizer.lr, set "
                "trainer.gradient_clip_val=1 or use trainer.precision=32-true."
            )
        self.log("train/loss", means.pop("train/loss"), prog_bar=True, batch_size=1)
        self.log_dict(means, batch_size=1)
        return losses["loss"] * share

    def validation_step(self, batch: Batch, batch_idx: int) -> Evaluated:  # type: ignore[override]
        """Loss and search on a validation batch."""
        return self._evaluate(batch, "validation")

    def test_step(self, batch: Batch, batch_idx: int) -> Evaluated:  # type: ignore[override]
        """Loss and search on a test batch."""
        return self._evaluate(batch, "test")

    def on_validation_epoch_start(self) -> None:
        """Start counting."""
        self._totals = ForcedTotals(self.model)

    def on_test_epoch_start(self) -> None:
        """Start counting."""
        self._totals = ForcedTotals(self.model)

    def on_validation_epoch_end(self) -> None:
        """Log the means."""
        self._log_totals("val")

    def on_test_epoch_end(self) -> None:
        """Log the means."""
        self._log_totals("test")

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        """``loss``, and its parts by name if there are several."""
        if self.risk is None:
            return self.objective(self.model, batch)
        return self.risk(
            self.objective,
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


def whole_batch(losses: dict[str, Tensor], symbols: int) -> tuple[dict[str, float], float]:
    """Put together what the ranks have of one batch, in which some have more symbols.

    :param losses: means over this rank's target symbols.
    :param symbols: how many those are.
    :return: ``train/<name>``, means over the symbols of all ranks; and by what to multiply this
        rank's loss, so that the ranks' mean, which is what their gradients are averaged to, is
        that of the whole batch.
    """
    own = torch.stack([loss.detach().double() for loss in losses.values()])
    sums = sum_over_ranks(torch.cat([own, torch.ones_like(own[:1])]) * symbols).tolist()
    total = sums.pop()
    means = {f"train/{name}": value / total for name, value in zip(losses, sums, strict=True)}
    return means, symbols * rank_count() / total
