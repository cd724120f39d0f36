"""Decoders that others have trained, by the package transformers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attention
from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.decoders.base import Decoded, Decoder
from tandem.decoders.pretrained_blocks import (
    AttendingBlock,
    CrossAttention,
    NativeAttention,
    Past,
)
from tandem.pretrained import check_transformers
from tandem.pretrained.architectures import make_config
from tandem.pretrained.decoder_architectures import DECODERS, KEY

NATIVE, NEW = "native", "new"
KEY_BIAS = "k_proj.bias"
"""Changes nothing, as a softmax is the same whatever all scores have in common; training would
let it follow rounding errors."""


class PretrainedDecoder(Decoder):
    """The decoder of a checkpoint of transformers, such as GPT-2, BART, T5 or Marian.

    A network that reads no source gets an attention behind each block. One that does keeps its
    own, or has it replaced. Its constructor makes the network; weights come from the checkpoint
    in a step of their own.

    :param input_size: E, given by the builder: what a word embedding of the checkpoint has.
    :param memory_size: M, given by the builder; mapped to the size that the network's own
        attention reads if it differs.
    :param architecture: the checkpoint's ``config.json``, as
        :func:`tandem.pretrained.architectures.cleaned` leaves it.
    :param attention: makes an attention from ``query_size`` and ``memory_size``.
    :param cross_attention: native: the network's own, where it has one; new: ``attention`` in its
        place.
    :param prompt: symbols of the checkpoint that stand before a text. The model's ``bos`` is the
        last of them; the decoder reads the others as it starts.
    :param path: where the weights are to be read; not used here.
    :raises InputError: if sizes do not fit.
    """

    can_be_exported = False

    def __init__(
        self,
        input_size: int,
        memory_size: int,
        *,
        architecture: Mapping[str, Any],
        attention: Callable[..., Attention],
        cross_attention: str,
        prompt: Sequence[str] | None = None,
        path: str | None = None,
    ) -> None:
        super().__init__()
        check_transformers("decoder=pretrained", "choose another decoder")
        config = make_config(architecture, known=DECODERS, key=KEY)
        self.architecture = DECODERS[config.model_type]
        size = self.architecture.embedding_size(config)
        if input_size != size:
            raise InputError(
                f"decoder=pretrained reads embeddings of {size}, as its checkpoint has them, but "
                f"model.embedding_size is {input_size}; leave that out."
            )
        self.output_size = size
        self.scale = self.architecture.features_scale(config)
        scales = self.architecture.scales_embeddings and config.scale_embedding
        self.input_scale = size**0.5 if scales else 1.0
        self.network = self.architecture.build(config)
        for name, weight in self.network.named_parameters():
            if name.endswith(KEY_BIAS):
                weight.requires_grad_(False)
        before = {id(weight): name for name, weight in self._weights()}
        self.memory = self._join(attention, memory_size, config.hidden_size, cross_attention)
        self.native_names = {
            name: before[id(weight)] for name, weight in self._weights() if id(weight) in before
        }
        """Of weights that the checkpoint has: what it calls each."""
        self.prompt_symbols = tuple(prompt or ())
        self.fed = max(0, len(self.prompt_symbols) - 1)
        self.prompt = nn.Parameter(torch.zeros(self.fed, size)) if self.fed else None
        limit = self.architecture.max_length(config)
        self.max_length = None if limit is None else limit - self.fed

    @property
    def blocks(self) -> nn.ModuleList:
        """The network's blocks."""
        return cast(nn.ModuleList, self.network.get_submodule(self.architecture.blocks))

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """See :class:`Decoder`."""
        return list(self.blocks)

    def start(self, memory: Memory) -> State:
        """Empty caches, or those of what stands before a text."""
        memory = Memory(self.memory(memory.states), memory.mask, memory.summary)
        states = tuple(attention.start(memory) for attention in self._attentions)
        state = State(carry=(((),) * len(states), states))
        if self.prompt is None:
            return state
        prompt = self.prompt.expand(len(memory.mask), -1, -1)  # (B, P, E)
        return self.forward(prompt, state).state

    def forward(self, inputs: Tensor, state: State) -> Decoded:
        """Inputs (N, T, E) -> features (N, T, E)."""
        past = Past(*state.carry)
        end = past.get_seq_length() + inputs.size(1) - self.fed
        if self.max_length is not None and end > self.max_length:
            raise InputError(
                f"A target has {end} positions, but this pretrained decoder writes at most "
                f"{self.max_length}; set max_length, or data.max_target_length."
            )
        options: dict[str, Any] = {}
        if self.architecture.cross_attention is not None:  # of which a block asks if it is there
            options["encoder_hidden_states"] = inputs[:, :1]
        output = self.network(
            inputs_embeds=inputs * self.input_scale,
            past_key_values=past,
            use_cache=True,
            return_dict=True,
            **options,
        )
        features = output.last_hidden_state * self.scale
        return Decoded(features, past.weights, State(carry=past.after()))

    @property
    def _attentions(self) -> list[Attention]:
        """Of the blocks, in order."""
        place = self.architecture.cross_attention
        holders = [
            block if place is None else block.get_submodule(place.name) for block in self.blocks
        ]
        return [cast(Attention, holder.attention) for holder in holders]

    def _weights(self) -> list[tuple[str, Tensor]]:
        return list(self.network.state_dict(keep_vars=True).items())

    def _join(
        self, attention: Callable[..., Attention], memory_size: int, size: int, kind: str
    ) -> nn.Module:
        """Put attentions into the blocks.

        :param size: H, of their states.
        :return: what makes of the memory's states what the attentions read.
        """
        if kind not in (NATIVE, NEW):
            raise InputError(
                f"`decoder.cross_attention` must be {NATIVE} or {NEW}, but is {kind!r}."
            )
        where = self.architecture.cross_attention
        for place, block in enumerate(self.blocks):
            if where is None:
                new = attention(query_size=size, memory_size=memory_size)
                self.blocks[place] = AttendingBlock(block, new, place, size)
                continue
            native = block.get_submodule(where.name)
            made: Attention = NativeAttention(native, where)
            output: nn.Module = nn.Identity()
            if kind == NEW:
                made = attention(query_size=size, memory_size=memory_size)
                output = nn.Linear(made.output_size, size)
                if where.query_norm is not None and not made.reads_query:
                    block.set_submodule(where.query_norm, nn.Identity())
            holder = CrossAttention(made, output, place=place, num_results=where.num_results)
            block.set_submodule(where.name, holder)
        if where is None or kind == NEW or memory_size == size:
            return nn.Identity()
        return nn.Linear(memory_size, size)
