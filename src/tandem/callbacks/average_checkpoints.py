"""The mean of several checkpoints' weights: Vaswani et al. (2017), section 6.1."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor

from tandem.callbacks.checkpoint_io import read_checkpoint
from tandem.callbacks.final_weights import Candidate
from tandem.callbacks.validations import counts_as_validation
from tandem.core.directions import Direction
from tandem.core.errors import InputError
from tandem.core.quality import quality_of

CHOICES = ("best", "last")


class AverageCheckpoints(L.Callback):
    """Keeps the weights of some validations, whose mean training ends with.

    What is kept is what validation scored, so a moving average is kept as such. Files that are no
    longer needed go at the next validation: until then a run may resume from a state that names
    them.

    :param folder: where checkpoints go.
    :param count: of how many validations, at least 2.
    :param choose: ``best`` by ``monitor``, or ``last``.
    :param monitor: the score that ``best`` goes by; of equal scores the smaller loss is better.
    :param mode: which way the score is better.
    """

    def __init__(
        self, *, folder: str, count: int, choose: str, monitor: str, mode: Direction
    ) -> None:
        if count < 2:
            raise InputError(f"`callbacks.average.count` must be at least 2, but is {count}.")
        if choose not in CHOICES:
            raise InputError(
                f"`callbacks.average.choose` must be one of {', '.join(CHOICES)}, but is "
                f"{choose!r}."
            )
        self.folder = Path(folder)
        self.count = count
        self.choose = choose
        self.monitor = monitor
        self.mode = mode
        self.ranks: dict[int, tuple[float, ...]] = {}
        """The steps whose weights are kept; a larger rank is better."""
        self._scored: dict[str, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """Which steps are kept."""
        return {"ranks": dict(self.ranks)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with these steps."""
        self.ranks = dict(state_dict["ranks"])

    def on_validation_batch_start(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Copy the weights that this validation scores."""
        if batch_idx == 0 and counts_as_validation(trainer):
            state = pl_module.state_dict()
            self._scored = {name: value.to("cpu", copy=True) for name, value in state.items()}

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep the copy if it is one of the best or last."""
        if not counts_as_validation(trainer):
            return
        for path in self.folder.glob("average-*.ckpt"):
            if path not in self.paths():
                trainer.strategy.remove_checkpoint(path)
        step = trainer.global_step
        quality = quality_of(trainer.callback_metrics, monitor=self.monitor, mode=self.mode)
        ranks = {**self.ranks, step: tuple(quality) if self.choose == "best" else (step,)}
        first = sorted(ranks, key=lambda one: (ranks[one], one), reverse=True)[: self.count]
        self.ranks = {one: ranks[one] for one in sorted(first)}
        if step in self.ranks:
            trainer.strategy.save_checkpoint({"state_dict": self._scored}, self._path(step))
        self._scored = {}

    def candidate(self) -> Candidate | None:
        """The mean of what is kept, which nobody has scored."""
        paths = self.paths()
        if not paths:
            return None

        def read() -> dict[str, Tensor]:
            return mean_of([read_checkpoint(path)["state_dict"] for path in paths])

        return Candidate(f"mean of {len(paths)} checkpoints", read, quality=None)

    def paths(self) -> list[Path]:
        """The files that are kept, the earliest first."""
        return [self._path(step) for step in self.ranks]

    def _path(self, step: int) -> Path:
        return self.folder / f"average-{step}.ckpt"


def mean_of(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each tensor, taken in double precision."""
    return {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(value.dtype)
        for name, value in states[0].items()
    }
