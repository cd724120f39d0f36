"""Models, bundles and run folders that were never trained, for what reads them."""

import itertools
import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from tandem.attentions import AdditiveAttention
from tandem.bridges import LinearBridge
from tandem.core.memory import Memory
from tandem.core.types import SPECIAL_IDS
from tandem.data.preprocessing import Processors
from tandem.data.readers import PromptReader, TextReader
from tandem.data.tokenizers import WordTokenizer
from tandem.decoders import RecurrentDecoder
from tandem.encoders import RecurrentEncoder
from tandem.frontends import TextFrontend
from tandem.inference.bundle import save_bundle
from tandem.inference.trust import build_trusted
from tandem.models import Seq2Seq, assemble
from tandem.models.ctc import CTC

SmallBundle = Callable[..., Path]
WriteRun = Callable[..., Path]

ROWS = [("a b", "b a"), ("c d", "d c"), ("e <script>alert(1)</script>", "e")]


def model_config(hidden_size: int, attention: str) -> dict[str, Any]:
    """What a bundle's config says of a GRU encoder and decoder."""
    return {
        "frontend": {
            "_target_": "tandem.frontends.TextFrontend",
            "_partial_": True,
            "embedding_size": 4,
            "dropout": 0.0,
        },
        "encoder": {
            "_target_": "tandem.encoders.RecurrentEncoder",
            "_partial_": True,
            "cell": "gru",
            "hidden_size": hidden_size,
            "num_layers": 1,
            "bidirectional": True,
            "reverse": False,
            "dropout": 0.0,
            "output_dropout": 0.0,
        },
        "decoder": {
            "_target_": "tandem.decoders.RecurrentDecoder",
            "_partial_": True,
            "attention": {"_target_": f"tandem.attentions.{attention}", "_partial_": True},
            "bridge": {"_target_": "tandem.bridges.LinearBridge", "_partial_": True},
            "cell": "gru",
            "hidden_size": hidden_size,
            "num_layers": 1,
            "input_feeding": False,
            "output_size": 4,
            "dropout": 0.0,
        },
        "model": {
            "embedding_size": 4,
            "tie_embeddings": "none",
            "copying": False,
            "dropout": 0.0,
            "ctc_weight": 0.0,
        },
    }


def write_bundle(
    folder: Path, config: dict[str, Any], processors: Processors, *, seed: int, max_length: int
) -> Path:
    """Write a bundle whose weights are drawn at random."""
    torch.manual_seed(seed)
    model = assemble(
        **{key: build_trusted(part, "model", ()) for key, part in config.items() if key != "model"},
        **config["model"],
        source_size=processors.source.size,
        target_size=processors.target.vocabulary_size,
        shared_vocabulary=processors.shared,
    )
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.8)
    parts = {
        "model": config,
        "search": {"_target_": "tandem.search.GreedySearch"},
        "scorer": {},
        "rule": {},
        "dataset": {"_target_": "tandem.data.datasets.reverse"},
        "metric": {"exact_match": {"_target_": "tandem.metrics.ExactMatch", "lowercase": False}},
    }
    save_bundle(folder, model=model, processors=processors, max_length=max_length, config=parts)
    return folder


@pytest.fixture
def small_language_model(tmp_path: Path) -> SmallBundle:
    """Write a bundle of a language model with random weights that writes ``w x y z``."""

    def write(name: str, *, target: str = "w x y z", seed: int = 7) -> Path:
        recipe = WordTokenizer(
            shared=False, lowercase=False, normalization="none", vocabulary_size=20, min_frequency=1
        )
        reader = PromptReader(recipe.train([target]))
        config = model_config(4, "NoAttention")
        config["frontend"] = {"_target_": "tandem.frontends.NoFrontend", "_partial_": True}
        config["encoder"] = {"_target_": "tandem.encoders.NoEncoder", "_partial_": True}
        processors = Processors(reader, reader.target, shared=True)
        return write_bundle(tmp_path / name, config, processors, seed=seed, max_length=5)

    return write


@pytest.fixture
def small_bundle(tmp_path: Path) -> SmallBundle:
    """Write a bundle with random weights that read ``a b c d`` and write ``w x y z``."""

    def write(
        name: str,
        *,
        source: str = "a b c d",
        target: str = "w x y z",
        seed: int = 0,
        hidden_size: int = 4,
        attention: str = "DotAttention",
        truncate_source: int | None = None,
        max_length: int = 5,
        shared: bool = False,
    ) -> Path:
        recipe = WordTokenizer(
            shared=shared,
            lowercase=False,
            normalization="none",
            vocabulary_size=20,
            min_frequency=1,
        )
        tokenizer = recipe.train([source])
        processors = Processors(
            TextReader(tokenizer, truncate=truncate_source),
            tokenizer if shared else recipe.train([target]),
            shared=shared,
        )
        return write_bundle(
            tmp_path / name,
            model_config(hidden_size, attention),
            processors,
            seed=seed,
            max_length=max_length,
        )

    return write


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Write a finished run whose first ``right`` of three outputs are right."""

    def write(name: str, *, right: int = 2, encoder: str = "gru", **settings: Any) -> Path:
        folder = tmp_path / "outputs" / name
        folder.mkdir(parents=True)
        config = {
            "run": {"tags": ["dataset=toy", f"encoder={encoder}", "decoder=gru", "attention=dot"]},
            "encoder": {"_target_": f"tandem.encoders.{encoder}", "_partial_": True},
            "metric": {"exact": {"_target_": "tandem.metrics.ExactMatch", "lowercase": False}},
            "monitor": {"name": "val/exact_match", "mode": "max"},
            **settings,
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        outputs = [
            {
                "source": source,
                "references": [reference],
                "hypothesis": reference if row < right else "wrong",
            }
            for row, (source, reference) in enumerate(ROWS)
        ]
        (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in outputs))
        record = {
            "metrics": {"test/exact_match": 100 * right / len(ROWS), "test/loss": 3.0 - right},
            "parameters": 1000 + right,
            "training_seconds": 12.5,
        }
        (folder / "run.json").write_text(json.dumps(record))
        (folder / "metrics.csv").write_text("step,epoch,val/loss\n1,0,3.0\n2,0,\n3,1,2.5\n4,1,2.")
        return folder

    return write


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
        vocabulary: int = VOCABULARY,
        seed: int = 2,
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
            source_size=vocabulary,
            target_size=vocabulary,
            shared_vocabulary=True,
        )
        generator = torch.Generator().manual_seed(seed)
        for parameter in model.double().eval().parameters():
            nn.init.normal_(parameter, std=0.7, generator=generator)
        return model

    return make
