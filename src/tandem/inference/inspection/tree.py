"""What a search tried for one source, as a tree of prefixes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.listening import Heard

FATES = ("died", "cut off", "finished", "best")
"""What became of a prefix, the worst first: nothing that extends it was kept; it was open when the
search stopped; an output that ended begins with it; the best output does."""
DIED, CUT_OFF, FINISHED, BEST = range(len(FATES))


@dataclass
class Node:
    """A prefix: that of its parent and one more symbol."""

    id: int
    parent: int | None
    """None for the root."""
    token: int
    """``bos`` for the root."""
    log_prob: float
    """Of the symbol, as the model and the scorers told the search."""
    score: float
    """The sum of these from the root on."""
    depth: int
    """Symbols of the prefix."""
    worth: int = DIED
    """The place of its fate."""

    @property
    def fate(self) -> str:
        """What became of it: see :data:`FATES`."""
        return FATES[self.worth]


class SearchTree:
    """Hears the search for one source; a :data:`tandem.search.Listener`.

    Equal prefixes are one node, also where several rows hold them.
    """

    def __init__(self) -> None:
        self.nodes = [Node(0, None, SPECIAL_IDS.bos, 0.0, 0.0, 0)]
        self._children: dict[tuple[int, int], int] = {}
        self._rows: list[int | None] = [0]
        """The node of each row at the last step; None where a row is no open prefix."""
        self._log_probs = torch.empty(0)
        """(N, V) what comes next, as the last step was told."""
        self._ends: dict[int, float] = {}
        """The log-probability of ``eos`` behind each node."""

    def __call__(self, heard: Heard) -> None:
        """Add the prefixes that are new."""
        if heard.position:
            gained = self._log_probs[heard.parents, heard.tokens].tolist()
            steps = zip(heard.parents.tolist(), heard.tokens.tolist(), gained, strict=True)
            self._rows = [
                None if token == SPECIAL_IDS.eos else self._child(self._rows[parent], token, gain)
                for parent, token, gain in steps
            ]
        self._log_probs = heard.log_probs()
        for node, end in zip(self._rows, self._log_probs[:, SPECIAL_IDS.eos].tolist(), strict=True):
            if node is not None:
                self._ends[node] = end

    def settle(self, hypotheses: Sequence[Hypothesis]) -> None:
        """Add how the outputs end, and say what became of each prefix.

        :param hypotheses: all that the search returned, the best first.
        """
        for node in self._rows:
            if node is not None:
                self._mark(node, CUT_OFF)
        for place, hypothesis in enumerate(hypotheses):
            end = self._path(hypothesis.tokens) if hypothesis.score > -math.inf else None
            if end is not None:
                ended = hypothesis.tokens[-1] == SPECIAL_IDS.eos
                self._mark(end, FINISHED if ended else CUT_OFF)
                if not place:
                    self._mark(end, BEST)

    def _child(self, parent: int | None, token: int, log_prob: float) -> int | None:
        """The node of a prefix, a new one if it is new; None behind what is no prefix."""
        if parent is None:
            return None
        child = self._children.get((parent, token))
        if child is None:
            child = self._children[parent, token] = len(self.nodes)
            above = self.nodes[parent]
            score = above.score + log_prob
            self.nodes.append(Node(child, parent, token, log_prob, score, above.depth + 1))
        return child

    def _path(self, tokens: list[int]) -> int | None:
        """The node of an output, of which the search was not told the last symbol."""
        node: int | None = 0
        for token in tokens[:-1]:
            if node is not None:
                node = self._children.get((node, token))
        if node is None:
            return None
        last = tokens[-1]
        if last == SPECIAL_IDS.eos:
            return self._child(node, last, self._ends[node])
        if node not in self._rows:
            return self._children.get((node, last))
        return self._child(node, last, self._log_probs[self._rows.index(node), last].item())

    def _mark(self, node: int | None, worth: int) -> None:
        """Give a prefix and those that it begins with this fate, unless theirs is better."""
        while node is not None:
            self.nodes[node].worth = max(self.nodes[node].worth, worth)
            node = self.nodes[node].parent
