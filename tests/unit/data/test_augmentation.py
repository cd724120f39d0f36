"""Training examples that change from epoch to epoch."""

import itertools
import math

import numpy as np
import torch
from datasets import Dataset

from tandem.data.augmentation import Augmentation, Examples
from tandem.data.batching import START, Budget, Encoded, TrainingLoader
from tandem.data.curriculum import Competence
from tandem.data.preprocessing import Processors
from tandem.data.ragged import Ragged
from tandem.data.readers import TextReader
from tandem.data.tokenizers import BPETokenizer

WORDS = ("low", "lower", "newest", "slower", "newer")
SOURCES = [f"{one} {other}" for one, other in itertools.product(WORDS, WORDS)]
TARGETS = [text[::-1] for text in SOURCES]
ROWS = np.array([row for row in range(25) if row != 3] * 2)  # two versions, one left out
BUDGET = Budget(max_tokens=40, max_source_tokens=40, max_sentences=None)


def recipe(dropout: float) -> BPETokenizer:
    return BPETokenizer(
        shared=True,
        lowercase=False,
        normalization="none",
        vocabulary_size=60,
        byte_fallback=False,
        min_frequency=1,
        dropout=dropout,
    )


TOKENIZER = recipe(0.0).train(SOURCES + TARGETS)
PLAIN = Encoded(
    TextReader(TOKENIZER, truncate=None).read(SOURCES).take(ROWS),
    Ragged.from_lists(TOKENIZER.encode_batch(TARGETS)).take(ROWS),
    rows=ROWS,
)


def examples(
    source: float,
    target: float,
    *,
    truncate: int | None = None,
    seed: int = 0,
    curriculum: Competence | None = None,
) -> Examples:
    augmentation = Augmentation(
        source_cutter=recipe(source).cutter,
        target_cutter=recipe(target).cutter,
        curriculum=curriculum,
        seed=seed,
    )
    split = Dataset.from_dict({"source": SOURCES, "target": TARGETS})
    reader = TextReader(TOKENIZER, truncate=truncate)
    return augmentation.examples(PLAIN, split, Processors(reader, TOKENIZER, shared=True))


def texts(ids: Ragged) -> list[str]:
    return [TOKENIZER.decode(ids.row(row)) for row in range(len(ids))]


def test_other_pieces_spell_the_same_texts() -> None:
    of = examples(0.3, 0.5)
    first, again, second = of(1), examples(0.3, 0.5)(1), of(2)
    assert texts(first.source.ids) == [SOURCES[row] for row in ROWS]
    assert texts(first.target) == [TARGETS[row] for row in ROWS]
    assert first.source.ids.values.tolist() == again.source.ids.values.tolist()
    assert first.target.values.tolist() == again.target.values.tolist()
    for other in (second, examples(0.3, 0.5, seed=1)(1), PLAIN):
        assert first.source.ids.values.tolist() != other.source.ids.values.tolist()
        assert first.target.values.tolist() != other.target.values.tolist()
    half = len(ROWS) // 2
    versions = [[first.target.row(row + shift) for row in range(half)] for shift in (0, half)]
    assert versions[0] != versions[1]


def test_only_the_side_that_is_asked_for_changes() -> None:
    of = examples(0.0, 0.5)
    assert of(0).source is PLAIN.source
    assert examples(0.5, 0.0)(0).target is PLAIN.target
    assert examples(0.0, 0.0)(7) is PLAIN


def test_sources_stay_cut_off() -> None:
    assert examples(0.9, 0.0, truncate=4)(0).source.lengths.max() == 4


def loader(state: dict[str, int]) -> TrainingLoader:
    cpu = torch.device("cpu")
    return TrainingLoader(
        examples(0.5, 0.5), BUDGET, seed=0, rank=0, world_size=1, device=cpu, state=state
    )


def test_batches_fit_the_budget_by_the_new_lengths() -> None:
    state, counts = START, []
    for _ in range(6):
        epoch = loader(state)
        batches = list(epoch)
        assert sorted(np.concatenate([batch.indices for batch in batches])) == sorted(ROWS)
        assert max(batch.source.numel() for batch in batches) <= 40
        assert max(batch.target_in.numel() for batch in batches) <= 40
        assert len(batches) == len(epoch)
        counts.append(len(batches))
        state = epoch.state_dict()
    assert len(set(counts)) > 1, counts


def test_a_saved_place_lies_in_the_same_cuts() -> None:
    going = iter(loader({"epoch": 2, "position": 0}))
    next(going)
    for one, other in zip(going, loader({"epoch": 2, "position": 1}), strict=True):
        assert one.source.tolist() == other.source.tolist()
        assert one.target_out.tolist() == other.target_out.tolist()


def test_a_curriculum_goes_by_the_new_lengths() -> None:
    of = examples(0.0, 0.5, curriculum=Competence(start=0.5, epochs=2))
    all_of_it = examples(0.0, 0.5)
    for epoch, share in ((0, 0.5), (1, 0.625**0.5), (2, 1.0), (9, 1.0)):
        easy, every = of(epoch), all_of_it(epoch)
        count = math.ceil(share * len(every))
        assert sorted(easy.target.lengths) == sorted(every.target.lengths)[:count]
        assert set(texts(easy.target)) <= {TARGETS[row] for row in easy.rows}
        assert texts(easy.source.ids) == [SOURCES[row] for row in easy.rows]
