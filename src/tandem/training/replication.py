"""Data parallelism (DDP): each rank keeps the whole model, and gradients are averaged."""

import copy
import logging
from typing import Any

import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from tandem.core.errors import InputError
from tandem.core.types import Batch
from tandem.training.module import Seq2SeqModule

logger = logging.getLogger(__name__)


class ReplicatedStrategy(DDPStrategy):
    """DDP of torch that knows before training which parameters have no use.

    Torch would look for them in every step. It does so only where noise skips parts of the model,
    other ones in each step.
    """

    def __init__(self) -> None:
        super().__init__()
        self._unused: dict[str, nn.Parameter] = {}

    def _setup_model(self, model: nn.Module) -> DistributedDataParallel:
        """Leave out of the average what never has a gradient."""
        assert isinstance(model, Seq2SeqModule)
        if all(noise.is_uniform for noise in model.noise):
            self._unused = self._find_unused(model)
        else:
            logger.info("Noise skips parts of the model, so each step looks for unused parameters")
            self._ddp_kwargs = {"find_unused_parameters": True}
        if self._unused:
            names = [name.removeprefix("model.") for name in self._unused]
            logger.info("Unused parameters, which are not trained: %s", ", ".join(names))
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, self._unused)
        return super()._setup_model(model)

    def post_backward(self, closure_loss: Tensor) -> None:
        """Refuse a gradient that no other rank would know of."""
        super().post_backward(closure_loss)
        for name, parameter in self._unused.items():
            if parameter.grad is not None:
                raise InputError(
                    f"The parameter {name.removeprefix('model.')} was unused when training began, "
                    "but has a gradient now; set "
                    "trainer.strategy=ddp_find_unused_parameters_true."
                )

    def _find_unused(self, model: Seq2SeqModule) -> dict[str, nn.Parameter]:
        assert model.trainer.datamodule is not None  # type: ignore[attr-defined]
        batch = model.trainer.datamodule.sample()  # type: ignore[attr-defined]
        with self.precision_plugin.train_step_context():
            return unused_parameters(model, self.batch_to_device(batch, self.root_device))


def unused_parameters(module: Seq2SeqModule, batch: Batch) -> dict[str, nn.Parameter]:
    """Trained parameters that get no gradient from a batch, by their names.

    Random numbers, gradients and the objective's counts are afterwards as before.
    """
    objective: Any = copy.copy(module.objective)
    devices = [module.device] if module.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        loss = module.losses(objective, batch)["loss"]
        trained = {name: one for name, one in module.named_parameters() if one.requires_grad}
        gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
    pairs = zip(trained.items(), gradients, strict=True)
    return {name: parameter for (name, parameter), gradient in pairs if gradient is None}
