"""Text: one trained vector for each symbol of the vocabulary."""

from torch import Tensor, nn

from tandem.frontends.base import Frontend
from tandem.layers.dropout import Dropout
from tandem.layers.embedding import embedding_table


class TextFrontend(Frontend):
    """Embeds symbols.

    :param source_size: number of symbols in the source vocabulary, given by the data.
    :param embedding_size: E, size of an embedding.
    :param dropout: probability on the embeddings.
    """

    media = "text"

    def __init__(self, *, source_size: int, embedding_size: int, dropout: float) -> None:
        super().__init__()
        self.table: nn.Embedding = embedding_table(source_size, embedding_size)
        self.dropout = Dropout(dropout)
        self.output_size = embedding_size

    def forward(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Source (B, S) ids -> inputs (B, S, E), the same mask."""
        return self.dropout(self.table(source)), source_mask
