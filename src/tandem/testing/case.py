"""A model with sources and targets on which the contracts are checked."""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from tandem.core.masks import lengths_to_mask
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding
from tandem.models import Seq2Seq
from tandem.search import GreedySearch
from tandem.search.scorers import Scorer
from tandem.testing.sources import VOCABULARY, source_kind

TARGET_LENGTH = 7
"""Longer than the memories, so that decoding runs past their ends."""


@dataclass(frozen=True)
class Case:
    """A model in float64 and three sources of different lengths with a target each."""

    model: Seq2Seq
    source: Tensor
    """(B, S) or (B, S, width)"""
    changed: Tensor
    """Sources of the same shape that differ everywhere, padding included."""
    mask: Tensor
    """(B, S)"""
    target: Tensor
    """(B, T)"""
    scorers: tuple[Scorer, ...] = ()
    """Who has a say beside the decoder; they know single steps alone."""

    @property
    def device(self) -> torch.device:
        """Where the model and its sources are."""
        return self.source.device

    def to(self, device: str | torch.device) -> "Case":
        """The same case elsewhere; the model itself moves, as in ``nn.Module.to``."""
        return dataclasses.replace(
            self,
            model=self.model.to(device),
            source=self.source.to(device),
            changed=self.changed.to(device),
            mask=self.mask.to(device),
            target=self.target.to(device),
        )

    def start(self, width: int = 1, sources: list[int] | None = None) -> State:
        """The state before the first symbol, ``width`` hypotheses for each of some sources."""
        rows = slice(None) if sources is None else sources
        memory = self.model.encode(self.source[rows], self.mask[rows])
        return self.decoding.start(self.model, memory).repeat(width)

    def feed(self, tokens: Tensor, state: State) -> tuple[Tensor, Tensor | None, State]:
        """Tokens (N, t) at once -> scores (N, t, V), weights (N, t, S), the next state."""
        if self.scorers:
            scores, state = self.feed_steps(tokens, state)
            return scores, None, state
        predicted = self.model.decode(tokens, state)
        weights = None if predicted.weights is None else predicted.weights()
        return self.model.scores(predicted.features, predicted.copied), weights, predicted.state

    def feed_steps(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (N, t) one after the other -> scores (N, t, V), the next state."""
        step, scores = self.decoding.step(self.model), []
        for symbols in tokens.unbind(1):
            now, state = step.scores(symbols, state)
            scores.append(now)
        return torch.stack(scores, 1), state

    def log_prob(
        self, row: int, outputs: list[list[int]], precision: torch.dtype = torch.float64
    ) -> Tensor:
        """Log-probability of each output for one source, in one teacher-forced pass.

        :param precision: what the model's scores are rounded to.
        """
        length = max(len(tokens) for tokens in outputs)
        padded = [[*tokens, *[0] * (length - len(tokens))] for tokens in outputs]
        gold = torch.tensor(padded, device=self.device)
        lengths = torch.tensor([len(tokens) for tokens in outputs], device=self.device)
        real = lengths_to_mask(lengths, length)
        target_in = torch.cat((torch.full_like(gold[:, :1], SPECIAL_IDS.bos), gold[:, :-1]), 1)
        if self.scorers:
            log_probs, _, _ = self.feed(target_in, self.start(len(outputs), sources=[row]))
        else:
            source = self.source[row].expand(len(outputs), *self.source[row].shape)
            mask = self.mask[row].expand(len(outputs), -1)
            scores = self.model(source, mask, target_in).to(precision)
            log_probs = scores.log_softmax(-1, dtype=torch.float64)
        at_gold = log_probs.gather(2, gold.unsqueeze(2)).squeeze(2)
        return at_gold.masked_fill(~real, 0.0).sum(1)

    @property
    def decoding(self) -> Decoding:
        """What asks the model and the scorers for next symbols."""
        return Decoding(GreedySearch(), self.scorers)


def make_case(
    model: Seq2Seq, *, source_size: int = VOCABULARY, scorers: tuple[Scorer, ...] = ()
) -> Case:
    """Fill a model's weights and draw its sources at random, always the same.

    :param model: with :data:`VOCABULARY` target symbols; it becomes float64.
    :param source_size: symbols of a text vocabulary, or the size of a vector.
    """
    generator = Generator().manual_seed(0)
    for parameter in model.double().eval().parameters():  # biases and norms, too, must matter
        nn.init.normal_(parameter, std=0.6, generator=generator)
    kind = source_kind(model.frontend.media)
    source = kind.draw((len(kind.lengths), max(kind.lengths)), source_size, generator)
    return Case(
        model=model,
        source=source,
        changed=kind.change(source),
        mask=lengths_to_mask(torch.tensor(kind.lengths), source.size(1)),
        target=torch.randint(VOCABULARY, (len(source), TARGET_LENGTH), generator=generator),
        scorers=scorers,
    )
