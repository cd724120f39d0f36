"""A CTC layer small enough to add up all of its alignments, and a model around it."""

import itertools
import math
from functools import partial

import pytest
import torch
from torch import nn

from tandem.attentions import AdditiveAttention
from tandem.bridges import LinearBridge
from tandem.core.memory import Memory
from tandem.core.types import SPECIAL_IDS
from tandem.decoders import RecurrentDecoder
from tandem.encoders import RecurrentEncoder
from tandem.frontends import TextFrontend
from tandem.models import Seq2Seq, assemble
from tandem.models.ctc import CTC

VOCABULARY = 6
LENGTHS = (4, 1, 3)
ADDITIVE = partial(AdditiveAttention, size=4)


class Alignments:
    """What CTC says, by adding up every way of aligning: outputs and their probabilities."""

    def __init__(self, log_probs: torch.Tensor, mask: torch.Tensor) -> None:
        self.outputs: list[dict[tuple[int, ...], float]] = []
        for row, length in zip(log_probs.exp().tolist(), mask.sum(1).tolist(), strict=True):
            found: dict[tuple[int, ...], float] = {}
            for path in itertools.product(range(log_probs.size(2)), repeat=length):
                probability = math.prod(row[place][symbol] for place, symbol in enumerate(path))
                output = tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)
                found[output] = found.get(output, 0.0) + probability
            self.outputs.append(found)

    def whole(self, row: int, output: tuple[int, ...]) -> float:
        """Probability of an output."""
        return self.outputs[row].get(output, 0.0)

    def prefix(self, row: int, prefix: tuple[int, ...]) -> float:
        """Probability of all outputs that begin so."""
        outputs = self.outputs[row].items()
        return sum(p for output, p in outputs if output[: len(prefix)] == prefix)

    def log(self, row: int, tokens: list[int]) -> float:
        """Log-probability of what search wrote: a whole output if it ends in ``eos``."""
        ended = tokens[-1] == SPECIAL_IDS.eos
        found = self.whole(row, tuple(tokens[:-1])) if ended else self.prefix(row, tuple(tokens))
        return math.log(found) if found else -math.inf


@pytest.fixture
def ctc() -> CTC:
    torch.manual_seed(0)
    layer = CTC(memory_size=4, target_size=VOCABULARY).double()
    nn.init.normal_(layer.output.weight)
    return layer


@pytest.fixture(scope="session")
def memory() -> Memory:
    """Three sources of 4, 1 and 3 positions."""
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(3, 4, 4, generator=generator, dtype=torch.float64)
    mask = torch.arange(4) < torch.tensor(LENGTHS).unsqueeze(1)
    return Memory(states, mask, states[:, 0])


@pytest.fixture(scope="session")
def alignments() -> type[Alignments]:
    return Alignments


@pytest.fixture(scope="session")
def small_model():
    """Builds a model in float64 whose biases matter, too."""

    def make(
        *,
        attention=ADDITIVE,
        copying: bool = False,
        ctc_weight: float = 0.0,
    ) -> Seq2Seq:
        recurrent = {"cell": "gru", "num_layers": 1, "dropout": 0.0}
        model = assemble(
            frontend=partial(TextFrontend, embedding_size=4, dropout=0.0),
            encoder=partial(
                RecurrentEncoder,
                hidden_size=4,
                bidirectional=True,
                reverse=False,
                output_dropout=0.0,
                **recurrent,
            ),
            decoder=partial(
                RecurrentDecoder,
                attention=attention,
                bridge=LinearBridge,
                hidden_size=4,
                input_feeding=False,
                output_size=4,
                **recurrent,
            ),
            embedding_size=4,
            tie_embeddings="none",
            copying=copying,
            dropout=0.0,
            ctc_weight=ctc_weight,
            source_size=VOCABULARY,
            target_size=VOCABULARY,
            shared_vocabulary=True,
        )
        generator = torch.Generator().manual_seed(2)
        for parameter in model.double().eval().parameters():
            nn.init.normal_(parameter, std=0.7, generator=generator)
        return model

    return make
