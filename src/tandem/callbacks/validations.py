"""Which validations count."""

import lightning as L
from lightning.pytorch.trainer.states import TrainerFn


def counts_as_validation(trainer: L.Trainer) -> bool:
    """Whether this is a validation of the training: not the sanity check, nor the final one."""
    return trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
