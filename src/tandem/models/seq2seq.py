"""The whole model, and the two ways of using it: all of a target at once, or step by step."""

from torch import Tensor, nn

from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.decoders.base import Decoded, Decoder
from tandem.encoders.base import Encoder
from tandem.frontends.base import Frontend
from tandem.layers.dropout import Dropout


class Seq2Seq(nn.Module):
    """An encoder and a decoder with what joins them to the symbols outside.

    :param frontend: source -> vectors.
    :param encoder: vectors -> memory.
    :param target_table: (V, E) embeddings of target symbols.
    :param decoder: embeddings and memory -> features.
    :param output: (V, D) vocabulary layer; it may share its weights with ``target_table``.
    :param dropout: probability on the target embeddings.
    """

    def __init__(
        self,
        *,
        frontend: Frontend,
        encoder: Encoder,
        target_table: nn.Embedding,
        decoder: Decoder,
        output: nn.Linear,
        dropout: float,
    ) -> None:
        super().__init__()
        self.frontend = frontend
        self.encoder = encoder
        self.target_table = target_table
        self.decoder = decoder
        self.output = output
        self.dropout = Dropout(dropout)

    def encode(self, source: Tensor, source_mask: Tensor) -> Memory:
        """Source and mask (B, S) -> memory."""
        return self.encoder(*self.frontend(source, source_mask))

    def start(self, memory: Memory) -> State:
        """The decoder's state before the first symbol, one hypothesis a source."""
        return self.decoder.start(memory)

    def decode(self, target_in: Tensor, state: State) -> Decoded:
        """target_in (N, T) ids -> features (N, T, D), weights and the next state."""
        return self.decoder(self.dropout(self.target_table(target_in)), state)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N,) ids -> logits (N, V) of what comes next, and the next state."""
        decoded = self.decode(tokens.unsqueeze(1), state)
        return self.output(decoded.features[:, 0]), decoded.state

    def forward(self, source: Tensor, source_mask: Tensor, target_in: Tensor) -> Tensor:
        """Source (B, S), target_in (B, T) -> logits (B, T, V)."""
        state = self.start(self.encode(source, source_mask))
        return self.output(self.decode(target_in, state).features)

    def num_parameters(self) -> int:
        """Trained numbers, shared ones counted once."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)
