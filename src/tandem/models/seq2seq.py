"""The whole model, and the two ways of using it: all of a target at once, or step by step."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.decoders.base import Decoder
from tandem.encoders.base import Encoder
from tandem.frontends.base import Frontend
from tandem.layers.dropout import Dropout
from tandem.models.copying import Copied, Copier
from tandem.models.ctc import CTC
from tandem.models.vocabulary_layer import VocabularyLayer


@dataclass(frozen=True)
class Predicted:
    """What the model says about T more target positions."""

    features: Tensor
    """(N, T, D), what the vocabulary layer reads."""
    copied: Copied | None
    """What may be copied at (N, T) positions; None if the model does not copy."""
    weights: Callable[[], Tensor] | None
    """Makes the last attention's weights (N, T, S); None if it has none."""
    state: State


class Seq2Seq(nn.Module):
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
    def normalized(self) -> bool:
        """Whether the scores are log-probabilities already; else they are logits."""
        return self.copier is not None

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
        """Scores (..., V): logits, or log-probabilities if :attr:`normalized`.

        Those of ``pad`` and ``bos``, which no output holds, are ``-inf``.

        :param features: (..., D)
        :param copied: of the same positions; None if the model does not copy.
        """
        logits = self.output(features)
        return logits if copied is None else copied.log_probs(logits)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N,) ids -> scores (N, V) of what comes next, and the next state."""
        predicted = self.decode(tokens.unsqueeze(1), state)
        return self.scores(predicted.features, predicted.copied)[:, 0], predicted.state

    def forward(self, source: Tensor, source_mask: Tensor, target_in: Tensor) -> Tensor:
        """Source (B, S), target_in (B, T) -> scores (B, T, V)."""
        state = self.start(self.encode(source, source_mask))
        predicted = self.decode(target_in, state)
        return self.scores(predicted.features, predicted.copied)

    def num_parameters(self) -> int:
        """Trained numbers, shared ones counted once."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)
