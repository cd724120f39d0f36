"""The checkpoint of the best validation."""

from pathlib import Path

from lightning.pytorch.callbacks import ModelCheckpoint

from tandem.callbacks.checkpoint_io import read_checkpoint
from tandem.callbacks.final_weights import Candidate


class BestCheckpoint(ModelCheckpoint):
    """Keeps the weights of the best validation in ``best.ckpt``; a run ends with them.

    :param folder: where checkpoints go.
    :param monitor: the score that decides.
    :param mode: ``min`` or ``max``, whichever is better.
    """

    def __init__(self, *, folder: str, monitor: str, mode: str) -> None:
        super().__init__(
            dirpath=folder,
            filename="best",
            monitor=monitor,
            mode=mode,
            save_top_k=1,
            save_on_train_epoch_end=False,
            enable_version_counter=False,
        )

    def candidate(self) -> Candidate | None:
        """The best checkpoint, if there was a validation."""
        if not self.best_model_path:
            return None
        path = Path(self.best_model_path)
        score = None if self.best_model_score is None else float(self.best_model_score)
        return Candidate("best checkpoint", lambda: read_checkpoint(path)["state_dict"], score)
