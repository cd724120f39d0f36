"""What passes through a model's parts while it computes, seen by hooks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attention
from tandem.layers.transformer import SelfAttention
from tandem.models.seq2seq import Seq2Seq

Seen = dict[str, Tensor]
"""By the names of :class:`Inspection`'s arrays, each of one source, without its batch axis."""
Look = Callable[[Any, tuple[Any, ...], Any], Tensor | None]
"""Takes from a module, its arguments and its result what is to be seen, (1, ...)."""


@contextmanager
def encoder_watched(model: Seq2Seq) -> Iterator[Seen]:
    """See embeddings, and states and self-attention of each layer, of one pass over one source."""
    seen: Seen = {}
    with ExitStack() as stack:
        watch = _watcher(stack, seen)
        watch(model.frontend, "embeddings", _embeddings)
        for number, layer in enumerate(model.encoder.layer_outputs, start=1):
            reverse = model.encoder.reverse
            watch(layer, f"encoder/layer_{number}/states", _turned if reverse else _states)
            for attention in _self_attentions(layer):
                watch(attention, f"encoder/layer_{number}/self_attention", _self_weights)
        yield seen


@contextmanager
def decoder_watched(model: Seq2Seq) -> Iterator[Seen]:
    """See states, attention and self-attention of each layer of one pass over one target."""
    seen: Seen = {}
    with ExitStack() as stack:
        watch = _watcher(stack, seen)
        for number, layer in enumerate(model.decoder.layer_outputs, start=1):
            watch(layer, f"decoder/layer_{number}/states", _first)
        attentions = attentions_of(model)
        if len(attentions) > 1:
            for number, attention in enumerate(attentions, start=1):
                watch(attention, f"decoder/layer_{number}/attention", _weights)
        for number, self_attention in enumerate(_self_attentions(model.decoder), start=1):
            watch(self_attention, f"decoder/layer_{number}/self_attention", _self_weights)
        yield seen


def attentions_of(model: Seq2Seq) -> list[Attention]:
    """The attentions over the memory, in the order of the decoder's layers."""
    return [module for module in model.decoder.modules() if isinstance(module, Attention)]


def _self_attentions(part: nn.Module) -> list[SelfAttention]:
    return [module for module in part.modules() if isinstance(module, SelfAttention)]


def _watcher(stack: ExitStack, seen: Seen) -> Callable[[nn.Module, str, Look], None]:
    """Makes what hooks a look onto a module until the stack is closed.

    What is seen in several calls, as where a decoder walks, is put together along the positions;
    calls of other threads are not seen.
    """
    thread = get_ident()

    def watch(module: nn.Module, name: str, look: Look) -> None:
        def hook(module: nn.Module, arguments: tuple[Any, ...], result: Any) -> None:
            view = look(module, arguments, result) if get_ident() == thread else None
            if view is not None:
                seen[name] = torch.cat((seen[name], view[0])) if name in seen else view[0]

        handle = module.register_forward_hook(hook)
        stack.callback(handle.remove)

    return watch


def _embeddings(module: Any, arguments: tuple[Any, ...], result: Any) -> Tensor:
    vectors, mask = result
    real: Tensor = vectors[:, mask[0]]
    return real


def _states(module: Any, arguments: tuple[Any, ...], result: Any) -> Tensor:
    states: Tensor = result
    return states


def _first(module: Any, arguments: tuple[Any, ...], result: Any) -> Tensor:
    states: Tensor = result[0] if isinstance(result, tuple) else result
    return states


def _turned(module: Any, arguments: tuple[Any, ...], result: Any) -> Tensor:
    states: Tensor = result
    return states.flip(1)


def _self_weights(module: SelfAttention, arguments: tuple[Any, ...], result: Any) -> Tensor:
    states, mask, _, offset = arguments
    return module.weights(states, mask, offset)


def _weights(module: Any, arguments: tuple[Any, ...], result: Any) -> Tensor | None:
    return None if result.weights is None else result.weights()
