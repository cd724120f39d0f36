"""The vocabulary layer: from features of the decoder to logits of target symbols."""

import torch
from torch import Tensor, nn

from tandem.core.types import FIRST_OUTPUT


class VocabularyLayer(nn.Linear):
    """Logits of target symbols, ``-inf`` for ``pad`` and ``bos``, which no output holds.

    All that follows from these logits leaves those two out: each search, samples, normalisers and
    losses.

    :param features_size: D of the decoder's features.
    :param target_size: V, symbols of the target vocabulary.
    """

    def __init__(self, *, features_size: int, target_size: int) -> None:
        super().__init__(features_size, target_size, bias=False)
        nn.init.normal_(self.weight, std=features_size**-0.5)

    def forward(self, features: Tensor) -> Tensor:
        """Features (..., D) -> logits (..., V)."""
        return forbid_no_outputs_(super().forward(features))


def forbid_no_outputs_(scores: Tensor) -> Tensor:
    """Scores (..., V) with ``-inf`` for what no output holds, in place.

    A graph for another program adds them up instead: ONNX writes into a part of a tensor by
    turning all of it twice, which takes longer than the product that made it.
    """
    if torch.compiler.is_exporting():
        places = torch.arange(scores.size(-1), device=scores.device)
        return scores + torch.where(places < FIRST_OUTPUT, -torch.inf, 0.0).to(scores.dtype)
    scores[..., :FIRST_OUTPUT] = -torch.inf
    return scores
