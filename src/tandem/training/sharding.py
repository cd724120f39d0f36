"""Sharded training (FSDP): each rank keeps a part of all weights, gradients and statistics."""

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import (
    FSDPModule,
    fully_shard,
    register_fsdp_forward_method,
)
from torch.optim import Optimizer

from tandem.core.shards import shared_out_like, whole_tree
from tandem.decoders.base import Decoder
from tandem.encoders.base import Encoder
from tandem.training.module import Seq2SeqModule


class ShardedStrategy(DDPStrategy):
    """FSDP2 of torch: a layer's weights are whole while it computes, and no longer.

    In all else it is data parallelism as that of its base class. Checkpoints hold whole tensors,
    as those of one process do, and either can go on from them: weights are read before they are
    shared out, the optimizer's statistics afterwards.
    """

    def _setup_model(self, model: nn.Module) -> nn.Module:  # type: ignore[override]
        """Share out the weights among ranks, in place."""
        assert isinstance(model, Seq2SeqModule)
        mesh = init_device_mesh(self.root_device.type, (self.world_size,))
        shard(model, mesh)
        return model

    def _register_ddp_hooks(self) -> None:
        """There are none, as nothing is wrapped."""

    def on_exception(self, exception: BaseException) -> None:
        """Free the weights that are whole where a step broke off."""
        super().on_exception(exception)
        if isinstance(self.lightning_module, FSDPModule):
            self.lightning_module.reset_iter_state()

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """The weights, each once if they are tied."""
        assert self.lightning_module is not None
        return self.lightning_module.state_dict(keep_vars=True)

    def save_checkpoint(
        self, checkpoint: dict[str, Any], filepath: Any, storage_options: Any | None = None
    ) -> None:
        """Put tensors together on all ranks, and write them on the first one."""
        complete = whole_tree(checkpoint, keep=self.is_global_zero)
        super().save_checkpoint(complete, filepath, storage_options)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Share out the optimizer's statistics as its weights are."""
        states = zip(self.optimizers, checkpoint["optimizer_states"], strict=True)
        shared = [shared_state(optimizer, state) for optimizer, state in states]
        super().load_optimizer_state_dict({"optimizer_states": shared})


def shard(module: Seq2SeqModule, mesh: DeviceMesh) -> None:
    """Share out a module's weights: those of each layer together, and the rest.

    The rest (embeddings, the vocabulary layer, recurrent networks) is whole during a training
    step. Weights are sent in their own type, as autocast decides what computes in another one:
    norms, for instance, do not.
    """
    # Attentions return views, such as keys and values, which nobody changes in place.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view")
    for part in (module.model.encoder, module.model.decoder):
        for layer in layers_of(part):
            fully_shard(layer, mesh=mesh)
            if hasattr(layer, "start"):
                register_fsdp_forward_method(layer, "start")
    fully_shard(module, mesh=mesh)
    register_fsdp_forward_method(module, "training_step")


def layers_of(part: Encoder | Decoder) -> list[nn.Module]:
    """The layers with weights that a pass calls once.

    All ranks must call the same ones equally often, whatever their batches.
    """
    return [layer for layer in part.layer_outputs if next(layer.parameters(), None) is not None]


def shared_state(optimizer: Optimizer, state: Mapping[str, Any]) -> dict[str, Any]:
    """An optimizer's ``state_dict`` with those tensors shared out that are as large as a weight."""
    parameters = [weight for group in optimizer.param_groups for weight in group["params"]]
    shared = {
        index: {
            name: shared_out_like(value, parameters[index])
            if isinstance(value, torch.Tensor) and value.shape == parameters[index].shape
            else value
            for name, value in statistics.items()
        }
        for index, statistics in state["state"].items()
    }
    return {**state, "state": shared}
