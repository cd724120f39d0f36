"""The whole model, and the two ways of using it: all of a target at once, or step by step."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from tandem.core.devices import device_types
from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.decoders.base import Decoder
from tandem.encoders.base import Encoder
from tandem.frontends.base import Frontend
from tandem.layers.dropout import Dropout
from tandem.models.attention_weights import gives_weights
from tandem.models.copying import Copied, Copier
from tandem.models.ctc import CTC
from tandem.models.sequence_model import Predicted, SequenceModel
from tandem.models.vocabulary_layer import VocabularyLayer


class Seq2Seq(nn.Module, SequenceModel):
    """An encoder and a decoder with what joins them to the symbols outside.

    :param frontend: source -> vectors.
    :param encoder: vectors -> memory.
    :param target_table: (V, E) embeddings of target symbols.
    :param decoder: embeddings and memory -> features.
    :param output: the vocabulary layer; it may share its weights with ``target_table``.
    :param copier: decides between generating and copying from a source text; None: no copying.
    :param ctc: a second reading of the memory; None: there is none.
    :param dropout: probability on the target embeddings.
    """

    def __init__(
        self,
        *,
        frontend: Frontend,
        encoder: Encoder,
        target_table: nn.Embedding,
        decoder: Decoder,
        output: VocabularyLayer,
        copier: Copier | None,
        ctc: CTC | None,
        dropout: float,
    ) -> None:
        super().__init__()
        self.frontend = frontend
        self.encoder = encoder
        self.target_table = target_table
        self.decoder = decoder
        self.output = output
        self.copier = copier
        self.ctc = ctc
        self.dropout = Dropout(dropout)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    def device_types(self) -> tuple[str, ...]:
        """Where torch can compute on this machine."""
        return device_types()

    @property
    def vocabulary_size(self) -> int:
        """V, target symbols."""
        return len(self.output.weight)

    @property
    def normalized(self) -> bool:
        """Whether the scores are log-probabilities already; else they are logits."""
        return self.copier is not None

    @property
    def has_weights(self) -> bool:
        """Whether the attention over the memory has weights."""
        return gives_weights(
            self.decoder,
            input_size=self.target_table.embedding_dim,
            memory_size=self.encoder.output_size,
        )

    @property
    def has_ctc(self) -> bool:
        """Whether there is a layer for CTC."""
        return self.ctc is not None

    def grid(self, rows: int) -> tuple[int, int]:
        """Rows and columns of the memory's positions for so many rows of pixels; pictures only."""
        return self.encoder.grid(*self.frontend.grid(rows))

    def encode(self, source: Tensor, source_mask: Tensor) -> Memory:
        """Source and mask (B, S) -> memory."""
        memory = self.encoder(*self.frontend(source, source_mask))
        if self.copier is None:
            return memory
        if memory.mask.shape != source.shape:
            raise InputError(
                f"model.copying=true needs one memory position for each source symbol, but "
                f"{source.size(1)} symbols became {memory.mask.size(1)} positions; use an encoder "
                "that keeps the length or model.copying=false."
            )
        return replace(memory, source=source)

    def start(self, memory: Memory) -> State:
        """The state before the first symbol, one hypothesis a source."""
        state = self.decoder.start(memory)
        return state if self.copier is None else State(fixed=memory.source, carry=state)

    def decode(self, target_in: Tensor, state: State) -> Predicted:
        """target_in (N, T) ids -> features (N, T, D), what may be copied, and the next state."""
        inputs = self.dropout(self.target_table(target_in))
        if self.copier is None:
            decoded = self.decoder(inputs, state)
            return Predicted(decoded.features, None, decoded.weights, decoded.state)
        decoded = self.decoder(inputs, state.carry)
        weights = decoded.weights()
        copied = self.copier(decoded.features, inputs, weights, state.fixed)
        after = State(state.fixed, carry=decoded.state)
        return Predicted(decoded.features, copied, lambda: weights, after)

    def scores(self, features: Tensor, copied: Copied | None) -> Tensor:
        """Scores (..., V) of features (..., D); see :class:`SequenceModel`."""
        logits = self.output(features)
        return logits if copied is None else copied.log_probs(logits)

    def ctc_log_probs(self, memory: Memory) -> Tensor:
        """What CTC says at each memory position: (B, S, V)."""
        assert self.ctc is not None
        return self.ctc.log_probs(memory)

    def forward(self, source: Tensor, source_mask: Tensor, target_in: Tensor) -> Tensor:
        """Source (B, S), target_in (B, T) -> scores (B, T, V)."""
        state = self.start(self.encode(source, source_mask))
        predicted = self.decode(target_in, state)
        return self.scores(predicted.features, predicted.copied)

    def num_parameters(self) -> int:
        """Numbers in its weights, shared ones counted once."""
        return sum(parameter.numel() for parameter in self.parameters())
