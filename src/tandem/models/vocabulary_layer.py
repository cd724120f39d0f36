"""The vocabulary layer: from features of the decoder to logits of target symbols."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.types import FIRST_OUTPUT


class VocabularyLayer(nn.Linear):
    """Logits of target symbols, ``-inf`` for ``pad`` and ``bos``, which no output holds.

    All that follows from these logits leaves those two out: each search, samples, normalisers and
    losses.

    :param features_size: D of the decoder's features.
    :param target_size: V, symbols of the target vocabulary.
    :param bias: whether a number is added to each logit, 0 before training.
    """

    def __init__(self, *, features_size: int, target_size: int, bias: bool) -> None:
        super().__init__(features_size, target_size, bias=bias)
        nn.init.normal_(self.weight, std=features_size**-0.5)
        if bias:
            nn.init.zeros_(self.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Features (..., D) -> logits (..., V)."""
        if torch.compiler.is_exporting():  # one product, which adds what forbids them
            forbidding = _forbidding(self.weight[:, 0])
            bias: Tensor | None = self.bias
            return F.linear(
                features, self.weight, forbidding if bias is None else bias + forbidding
            )
        return forbid_no_outputs_(super().forward(features))

    def factors(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features (R, D') and weight (V, D') whose product are the logits; a bias is a column."""
        bias: Tensor | None = self.bias
        if bias is None:
            return features, self.weight
        ones = features.new_ones(*features.shape[:-1], 1)
        return torch.cat((features, ones), -1), torch.cat((self.weight, bias.unsqueeze(1)), 1)


def forbid_no_outputs_(scores: Tensor) -> Tensor:
    """Scores (..., V) with ``-inf`` for what no output holds, in place.

    A graph for another program adds them up instead: ONNX writes into a part of a tensor by
    turning all of it twice, which takes longer than the product that made it.
    """
    if torch.compiler.is_exporting():
        return scores + _forbidding(scores)
    scores[..., :FIRST_OUTPUT] = -torch.inf
    return scores


def _forbidding(like: Tensor) -> Tensor:
    """(V,) with ``-inf`` for what no output holds and else 0; V is the last axis of ``like``."""
    places = torch.arange(like.size(-1), device=like.device)
    return torch.where(places < FIRST_OUTPUT, -torch.inf, 0.0).to(like.dtype)
