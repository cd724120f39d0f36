"""Activation checkpointing keeps fewer activations, and changes no loss and no gradient."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tandem.models import Seq2Seq
from tandem.testing.case import Case
from tandem.training.activation_checkpointing import checkpoint_activations


def test_losses_and_gradients_stay_and_fewer_activations_are_kept(layers_case) -> None:
    plain, recomputing = (copy.deepcopy(layers_case.model).train() for _ in range(2))
    checkpoint_activations(recomputing)
    assert list(recomputing.state_dict()) == list(plain.state_dict())
    kept, expected = train(plain, layers_case)
    fewer, actual = train(recomputing, layers_case)
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)
    feeds = getattr(plain.decoder, "input_feeding", False)  # its steps keep all but attention's
    assert fewer < (0.75 if feeds else 0.7) * kept


def train(model: Seq2Seq, case: Case) -> tuple[int, dict[str, Tensor]]:
    """Bytes that wait for the backward pass, and the loss with all gradients, with dropout."""
    model.zero_grad()
    torch.manual_seed(0)
    with Memory() as memory:
        scores = model(case.source, case.mask, case.target)
    loss = scores[..., 2:].log_softmax(-1).square().sum()
    kept = memory.size()
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return kept, {"loss": loss.detach()} | {
        name: gradient for name, gradient in gradients.items() if gradient is not None
    }


class Memory(TorchDispatchMode):
    """Knows the memory of what operations made."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[StorageWeakRef, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        for result in tree_leaves(results):
            if isinstance(result, Tensor):
                storage = result.untyped_storage()
                self.sizes[StorageWeakRef(storage)] = storage.nbytes()
        return results

    def size(self) -> int:
        """Bytes that are still held."""
        return sum(size for storage, size in self.sizes.items() if not storage.expired())
