"""Early stopping."""

from typing import Any

import lightning as L

from tandem.callbacks.validations import counts_as_validation
from tandem.core.directions import Direction
from tandem.core.quality import Quality, quality_of


class EarlyStopping(L.Callback):
    """Ends training when neither the score nor, while that stands still, the loss gets better.

    :param monitor: the score that decides; of equal scores the smaller loss is better.
    :param mode: which way the score is better.
    :param patience: validations without a better one, after which training ends.
    :param patience_steps: least optimizer steps without a better one, too; so none ends sooner.
    :param min_delta: by how much a score has to be better to count.
    """

    def __init__(
        self, *, monitor: str, mode: Direction, patience: int, patience_steps: int, min_delta: float
    ) -> None:
        self.monitor, self.mode = monitor, mode
        self.patience, self.patience_steps, self.min_delta = patience, patience_steps, min_delta
        self.best: Quality | None = None
        self.best_step = 0
        self.waited = 0
        """Validations since the best one."""
        self._step = 0
        """Of the last validation."""

    @property
    def reason(self) -> str | None:
        """Why training ends, if it does by this."""
        steps = self._step - self.best_step
        if self.best is None or self.waited < self.patience or steps < self.patience_steps:
            return None
        return (
            f"callbacks.early_stopping: {self.monitor} has not improved on "
            f"{self.best.logged(self.mode):.4f}, at step {self.best_step:,}, for {self.waited} "
            f"validations and {steps:,} steps"
        )

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """End a run again that was resumed where it had ended."""
        self._stop_if_over(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Judge the validation."""
        if not counts_as_validation(trainer):
            return
        quality = quality_of(trainer.callback_metrics, monitor=self.monitor, mode=self.mode)
        self._step = trainer.global_step
        if quality.improves(self.best, self.min_delta):
            self.best, self.best_step, self.waited = quality, self._step, 0
        else:
            self.waited += 1
        self._stop_if_over(trainer)

    def state_dict(self) -> dict[str, Any]:
        """The best validation and how long ago it was."""
        best = None if self.best is None else tuple(self.best)
        return {
            "best": best,
            "best_step": self.best_step,
            "waited": self.waited,
            "step": self._step,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on waiting."""
        best = state_dict["best"]
        self.best = None if best is None else Quality(*best)
        self.best_step, self.waited = state_dict["best_step"], state_dict["waited"]
        self._step = state_dict["step"]

    def _stop_if_over(self, trainer: L.Trainer) -> None:
        over = trainer.strategy.reduce_boolean_decision(self.reason is not None, all=False)
        trainer.should_stop = trainer.should_stop or over
