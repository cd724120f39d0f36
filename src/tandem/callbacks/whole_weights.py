"""Evaluation of a model whose weights are shared out among ranks."""

import copy

import lightning as L
import torch

from tandem.core.shards import whole_tensor
from tandem.models import Seq2Seq


class WholeWeights(L.Callback):
    """Evaluates a model of whole weights in place of the one whose weights are shared out.

    Each call of a layer with shared weights makes all ranks wait for each other, but in search
    ranks go different numbers of steps. The whole model is on the device during evaluation only,
    and in its place for good when training ends. Put it behind all callbacks that change weights
    before an evaluation or use the model behind it.
    """

    def __init__(self) -> None:
        self._whole: Seq2Seq | None = None
        """A model of the same make, on the CPU when nobody uses it; None outside of training."""
        self._shared: Seq2Seq | None = None
        """The model that is trained, while the other one is in its place."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Copy the model before its weights are shared out."""
        if stage == "fit":
            self._whole = copy.deepcopy(_model(pl_module)).cpu()

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Evaluate whole weights."""
        if self._whole is not None:
            self._gather(pl_module)

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Go on with shared ones."""
        if self._whole is not None:
            assert self._shared is not None
            pl_module.model, self._shared = self._shared, None
            self._whole.cpu()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave whole weights in the module, for those that write and test them."""
        self._gather(pl_module)
        self._whole = self._shared = None

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The same for a run that resumes at its end, which trains no more."""
        if self._whole is not None:
            self.on_train_end(trainer, pl_module)

    @torch.no_grad()
    def _gather(self, pl_module: L.LightningModule) -> None:
        assert self._whole is not None
        whole, shared = self._whole.to(pl_module.device).eval(), _model(pl_module)
        for of in (torch.nn.Module.parameters, torch.nn.Module.buffers):
            for tensor, part in zip(of(whole), of(shared), strict=True):
                tensor.copy_(whole_tensor(part))
        self._shared, pl_module.model = shared, whole


def _model(pl_module: L.LightningModule) -> Seq2Seq:
    model = pl_module.model
    assert isinstance(model, Seq2Seq)
    return model
