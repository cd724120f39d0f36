"""What every frontend promises."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Frontend(nn.Module, ABC):
    """Turns a source of one modality into the vectors that an encoder reads."""

    media: str
    """What the source is: text, image, audio, or a name of one's own that its reader has, too."""

    output_size: int
    """E, size of the vectors."""

    table: nn.Embedding | None
    """The embeddings of a text source, which the target may share; None for other sources."""

    def grid(self, rows: int) -> tuple[int, int]:
        """Rows and columns of the positions that so many rows of pixels become; pictures only."""
        raise NotImplementedError

    @abstractmethod
    def forward(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Source and mask (B, S, ...) -> inputs (B, S', E), mask (B, S'); S' may be shorter."""
