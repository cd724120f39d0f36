"""Adapters: a few new weights beside those of a trained part, which stay as they are."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from tandem.core.errors import InputError
from tandem.core.extras import check_extra
from tandem.training.optimizer_groups import matches

logger = logging.getLogger(__name__)

MOST_NAMED = 4
"""Of layers so many are named in one message."""


class LoRA:
    """Adds to linear layers a product of two thin matrices: ``W x + (alpha / rank) B A x``.

    Hu et al. (2022), section 4.1: A is drawn, B begins with zeros, and these two alone are trained.
    By the package peft. When training has ended, the product is added to W, so that what is kept
    has the weights of a model without adapters.

    :param rank: r, rows of A and columns of B.
    :param alpha: scales the product, by ``alpha / rank``.
    :param dropout: probability on what A reads.
    :param modules: patterns of names (see :func:`matches`); linear layers among what they mean get
        an adapter.
    :param frozen: patterns of the weights that stay as they are.
    """

    def __init__(
        self,
        *,
        rank: int,
        alpha: int,
        dropout: float,
        modules: Sequence[str],
        frozen: Sequence[str],
    ) -> None:
        check_extra("lora", "peft", used_by="adapter=lora", otherwise="set adapter=null")
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        self.modules = tuple(modules)
        self.frozen = tuple(frozen)

    def inject(self, model: nn.Module) -> None:
        """Add the adapters, and stop the gradients of frozen weights.

        :raises InputError: if there is no linear layer for them.
        """
        import peft  # takes seconds

        names = [name for name, _ in linear_layers(model) if _matches_any(name, self.modules)]
        if not names:
            raise self._unfit([name for name, _ in linear_layers(model)])
        trained = {id(one) for one in model.parameters() if one.requires_grad}
        config = peft.LoraConfig(
            r=self.rank, lora_alpha=self.alpha, lora_dropout=self.dropout, target_modules=names
        )
        with warnings.catch_warnings(action="ignore"):  # of layers that keep W transposed
            peft.inject_adapter_in_model(config, model)
        del model.peft_config
        added = {id(one) for one in adapter_parameters(model)}
        for name, parameter in model.named_parameters():
            kept = id(parameter) in trained and not _matches_any(name, self.frozen)
            parameter.requires_grad_(kept or id(parameter) in added)

    def check(self, model: nn.Module) -> None:
        """Refuse a model whose optimizer leaves the adapters alone.

        :param model: with adapters; its frozen parameters need no gradients.
        """
        if not any(parameter.requires_grad for parameter in adapter_parameters(model)):
            raise InputError(
                "adapter=lora adds weights to train, but optimizer.groups freezes them; leave the "
                "parts with adapters out of it, as adapter.frozen says what stays as it is."
            )

    @torch.no_grad()
    def merge(self, model: nn.Module) -> None:
        """Add each adapter's product to the weights beside it, and remove the adapter."""
        unmoved = []
        for name, layer in list(_adapted_layers(model)):
            if not any(one.any() for one in layer.lora_B.parameters()):
                unmoved.append(name)
            layer.merge()
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, layer.get_base_layer())
        if unmoved:
            logger.warning(
                "%d adapters have learnt nothing, perhaps as their layers are not called: %s",
                len(unmoved),
                _few(unmoved),
            )

    def _unfit(self, layers: list[str]) -> InputError:
        has = f"its linear layers are {_few(layers)}" if layers else "it has none"
        return InputError(
            f"`adapter.modules` ({', '.join(self.modules)}) must mean linear layers of this model, "
            f"but means none ({has}); choose other patterns, or set adapter=null."
        )


def linear_layers(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Names and layers that are called to multiply by a matrix, and are nothing beside that."""
    from transformers.pytorch_utils import Conv1D  # which GPT-2 has in place of nn.Linear

    for name, module in model.named_modules():
        if type(module) in (nn.Linear, Conv1D):
            yield name, module


def adapter_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """Weights that the adapters of a model have added."""
    for _, layer in _adapted_layers(model):
        yield from layer.lora_A.parameters()
        yield from layer.lora_B.parameters()


def _adapted_layers(model: nn.Module) -> Iterator[tuple[str, Any]]:
    from peft.tuners.lora import LoraLayer

    for name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            yield name, module


def _matches_any(name: str, patterns: Sequence[str]) -> bool:
    return any(matches(name, pattern) for pattern in patterns)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
