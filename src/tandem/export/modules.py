"""The parts of a model whose graphs are exported, with flat tensors in and out."""

import torch
from torch import Tensor, nn

from tandem.core.memory import Memory
from tandem.export.state import POSITION, StateLayout
from tandem.models.seq2seq import Seq2Seq


class Encode(nn.Module):
    """Reads sources."""

    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model = model

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Source (B, S) or (B, S, width), mask (B, S) -> states, mask, summary, and ids to copy."""
        memory = self.model.encode(*given)
        ids = () if memory.source is None else (memory.source,)
        return (memory.states, memory.mask, memory.summary, *ids)


class Start(nn.Module):
    """Makes the state before the first symbol."""

    def __init__(self, model: Seq2Seq, layout: StateLayout) -> None:
        super().__init__()
        self.model = model
        self.layout = layout

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """What :class:`Encode` gives -> the tensors that a step takes."""
        return self.layout.pack(self.model.start(Memory(*given)), self.layout.used)


class StepOnce(nn.Module):
    """Scores what comes next."""

    def __init__(self, model: Seq2Seq, layout: StateLayout) -> None:
        super().__init__()
        self.model = model
        self.layout = layout

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """One more symbol of each hypothesis.

        :param given: tokens (N,), how many symbols came before, if the layout reads that, and the
            state.
        :return: scores (N, V), weights (N, S') if the model has any, and what changes of the state.
        """
        layout, (tokens, *others) = self.layout, given
        names = [POSITION] if layout.reads_position else []
        tensors = dict(zip([*names, *(tensor.name for tensor in layout.used)], others, strict=True))
        state = layout.unpack(tensors, tokens.size(0))
        predicted = self.model.decode(tokens.unsqueeze(1), state)
        copied = None if predicted.copied is None else predicted.copied.first()
        scores = self.model.scores(predicted.features[:, 0], copied)
        weights = () if predicted.weights is None else (predicted.weights()[:, 0],)
        return (scores, *weights, *layout.pack(predicted.state, layout.changing))


class ReadOut(nn.Module):
    """The second reading of the memory, by CTC."""

    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        assert model.ctc is not None
        self.ctc = model.ctc

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """States (B, S', M) -> log-probabilities (B, S', V)."""
        (states,) = given
        mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        return (self.ctc.log_probs(Memory(states, mask, states[:, 0])),)
