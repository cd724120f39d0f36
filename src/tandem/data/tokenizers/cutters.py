"""Other ways to cut a word into pieces than the tokenizer's one, drawn at random for training.

The library can draw, too, but takes no seed, so a run with it could not be repeated.
"""

import math
from abc import ABC, abstractmethod
from itertools import accumulate, chain, pairwise
from random import Random

from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.tokenizer import Tokenizer


class Cutter(ABC):
    """Cuts one word, a string of :meth:`Tokenizer.words`, into pieces."""

    @abstractmethod
    def __call__(self, word: str, random: Random) -> list[int]:
        """The ids of the pieces that the random numbers decide on."""


class BPEDropout(Cutter):
    """Leaves out each possible merge of each step at random: Provilkov et al. (2020), section 3.1.

    :param tokenizer: made by byte-pair encoding.
    :param dropout: with which probability; 0 is byte-pair encoding, 1 leaves single characters.
    """

    def __init__(self, tokenizer: Tokenizer, *, dropout: float) -> None:
        self.tokenizer = tokenizer
        model = tokenizer.model()
        self.ids: dict[str, int] = model["vocab"]
        self.dropout = dropout
        self.merges = {
            (self.ids[left], self.ids[right]): (rank, self.ids[left + right])
            for rank, (left, right) in enumerate(model["merges"])
        }
        """For each pair of pieces how early it is merged, and into what."""

    def __call__(self, word: str, random: Random) -> list[int]:
        """See :class:`Cutter`."""
        pieces = list(chain.from_iterable(map(self._one, word)))
        while True:
            possible = [
                (*self.merges[pair], place)
                for place, pair in enumerate(pairwise(pieces))
                if pair in self.merges and random.random() >= self.dropout
            ]
            if not possible:
                return pieces
            _, merged, place = min(possible)
            pieces[place : place + 2] = [merged]

    def _one(self, character: str) -> list[int]:
        """The ids of one character, which may be unknown."""
        id_ = self.ids.get(character)
        return self.tokenizer.cut(character) if id_ is None else [id_]


class UnigramSampling(Cutter):
    """Draws among all cuts in proportion to ``P(cut)^alpha``: Kudo (2018), section 3.2.

    The paper's sampling with l to infinity: backwards through the sums of a forward pass.

    :param tokenizer: a unigram language model.
    :param alpha: 0 draws evenly; the larger, the more often the most probable cut comes.
    """

    def __init__(self, tokenizer: Tokenizer, *, alpha: float) -> None:
        self.tokenizer = tokenizer
        vocabulary = tokenizer.model()["vocab"][SPECIAL_IDS.unk + 1 :]
        self.pieces = {
            piece: (id_, alpha * score)
            for id_, (piece, score) in enumerate(vocabulary, start=SPECIAL_IDS.unk + 1)
        }
        self.longest = max(map(len, self.pieces), default=0)
        self._known: dict[str, _Lattice] = {}

    def __call__(self, word: str, random: Random) -> list[int]:
        """See :class:`Cutter`; a word with unknown characters is cut as always."""
        if not all(character in self.pieces for character in word):
            return self.tokenizer.cut(word)
        if word not in self._known:
            self._known[word] = self._lattice(word)
        lattice, ids, end = self._known[word], [], len(word)
        while end:
            end, id_ = random.choices(lattice[end][0], cum_weights=lattice[end][1])[0]
            ids.append(id_)
        return ids[::-1]

    def _lattice(self, word: str) -> "_Lattice":
        """For each end of a piece in a word the pieces that may end there."""
        log_sums, lattice = [0.0], _Lattice()
        for end in range(1, len(word) + 1):
            starts = range(max(0, end - self.longest), end)
            found = [
                (start, *self.pieces[word[start:end]])
                for start in starts
                if word[start:end] in self.pieces
            ]
            scores = [log_sums[start] + score for start, _, score in found]
            most = max(scores)
            weights = list(accumulate(math.exp(score - most) for score in scores))
            log_sums.append(most + math.log(weights[-1]))
            lattice[end] = [(start, id_) for start, id_, _ in found], weights
        return lattice


class _Lattice(dict[int, tuple[list[tuple[int, int]], list[float]]]):
    """By the end of a piece: where it may start and its id, and the cumulated weights of these."""
