"""Finished hypotheses of a whole batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import until_eos
from tandem.search.prefixes import choose, no_outputs, with_room


@dataclass
class Pool:
    """The best finished hypotheses of each of B blocks (sources, or groups), the best first."""

    scores: Tensor
    """(B, K), -inf where there is none yet."""
    outputs: Tensor
    """(B, K, length), as long as those of them that was added last."""

    @staticmethod
    def empty(blocks: int, width: int, device: torch.device) -> "Pool":
        """A pool in which nothing has finished."""
        scores = torch.full((blocks, width), -torch.inf, dtype=torch.float32, device=device)
        return Pool(scores, no_outputs(scores, blocks, width))

    def add(self, live: Tensor, scores: Tensor, final: Tensor, outputs: Tensor) -> None:
        """Merge candidates (B', K) where ``final``, and keep the best K of each block.

        :param outputs: (B', K, length), never shorter than before.
        """
        if final.device.type == "cpu" and not final.any():  # another device would be waited for
            return
        self.scores = self.scores.to(scores.dtype)
        width = self.scores.size(1)
        both = torch.cat((self.scores[live], scores.masked_fill(~final, -torch.inf)), dim=1)
        self.scores[live], order = both.topk(width, dim=1)
        length = outputs.size(2)
        self.outputs = with_room(self.outputs, length - 1, length)
        self.outputs[live] = choose(torch.cat((self.outputs[live], outputs), dim=1), order)

    def best(self, live: Tensor) -> Tensor:
        """(B',) score of the best."""
        return self.scores[live, 0]

    def worst(self, live: Tensor) -> Tensor:
        """(B',) score of the K-th best."""
        return self.scores[live, -1]

    def hypotheses(self, groups: int = 1) -> list[list[Hypothesis]]:
        """As lists, without the places that stayed empty.

        :param groups: so many blocks in a row are of one source; what several of them have found
            counts once.
        """
        sources = len(self.scores) // groups
        outputs, scores = (
            part.unflatten(0, (sources, groups)).flatten(1, 2)
            for part in (self.outputs, self.scores)
        )
        return [_ranked(*rows) for rows in zip(outputs.tolist(), scores.tolist(), strict=True)]


def _ranked(outputs: list[list[int]], scores: list[float]) -> list[Hypothesis]:
    """Different hypotheses of one source, the best first; if all is impossible, an empty one."""
    rows = zip(map(until_eos, outputs), scores, strict=True)
    unique = {tuple(tokens): score for tokens, score in rows if score > -torch.inf}
    ranked = sorted(unique.items(), key=lambda item: -item[1])
    return [Hypothesis(list(tokens), score) for tokens, score in ranked] or [
        Hypothesis([SPECIAL_IDS.eos], -torch.inf)
    ]
