"""The data module: rows that stay together, and evaluation that reads each example once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict

from tandem.data.augmentation import Augmentation
from tandem.data.batching import Budget
from tandem.data.curriculum import Competence
from tandem.data.features import Features
from tandem.data.module import DataModule, LengthFilter
from tandem.data.preprocessing import LearnProcessors
from tandem.data.readers import FileReader
from tandem.data.stream import StreamOptions
from tandem.data.tokenizers import CharTokenizer

MakeFeatures = Callable[..., Any]
FileSplit = Callable[..., Dataset]


def data_module(features: Features, splits: DatasetDict, *, skip_bad: bool = False) -> DataModule:
    """Sources have at most two vectors in training, whose first epoch has the easiest half."""
    recipe = CharTokenizer(
        shared=True,
        lowercase=False,
        normalization="none",
        vocabulary_size=100,
        min_frequency=1,
    )
    return DataModule(
        load=lambda: splits,
        learn=LearnProcessors(
            reader=lambda target: FileReader(features, spec={}),
            source_recipe=recipe,
            target_recipe=recipe,
            truncate_source=None,
        ),
        length_filter=LengthFilter(max_source_length=2, max_target_length=None),
        skip_bad=skip_bad,
        budget=Budget(max_tokens=100, max_source_tokens=100, max_sentences=None),
        stream_options=StreamOptions(buffer_size=1, sample_size=1),
        overfit=None,
        augmentation=Augmentation(
            source_cutter=lambda _: None,
            target_cutter=lambda _: None,
            curriculum=Competence(start=0.5, epochs=1),
            seed=0,
        ),
        seed=0,
    )


def batches_rows(loader: Any) -> list[list[int]]:
    """Each example's first number, its row, and how many vectors it has."""
    return sorted(
        [int(source[0, 0]), row, int(mask.sum())]
        for batch in loader
        for source, mask, row in zip(
            batch.source, batch.source_mask, batch.indices.tolist(), strict=True
        )
    )


def test_rows_stay_together_when_one_is_skipped(
    byte_features: MakeFeatures, file_split: FileSplit
) -> None:
    long, bad = b"abcdefgh", b"bad!"
    splits = DatasetDict(
        train=file_split(b"ab", long, bad, b"cd"),
        validation=file_split(bad, b"xy"),
        test=file_split(b"zz", b"uv"),
    )
    data = data_module(byte_features(versions=2), splits, skip_bad=True)
    processors = data.prepare()
    assert not processors.shared
    assert processors.source.size == 2
    numbered = {}
    for epoch in (1, 2):
        data.load_state_dict({"epoch": epoch, "position": 0})
        for batch in data.train_dataloader():
            for place, row in enumerate(batch.indices.tolist()):
                target = processors.target.decode(batch.target_out[place].tolist())
                numbered[int(batch.source[place, 0, 0])] = (target, row)
    # Rows are those of what remains, and the long one is left out.
    assert numbered == {97: ("a", 0), 98: ("a", 0), 99: ("d", 2), 100: ("d", 2)}
    assert data.references("validation", [0]) == [["b"]]
    assert data.sources("validation", [0]) == ["example 1 of the validation split"]
    assert data.file("test", 1) == {"path": None, "bytes": b"uv"}
    assert [data.written[split].rows for split in splits] == [3, 1, 2]


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("skip_bad", [False, True])
def test_evaluation_reads_each_example_once(
    byte_features: MakeFeatures, file_split: FileSplit, trained: bool, skip_bad: bool
) -> None:
    """No copies, no filter of lengths, no curriculum: also of the training split."""
    contents = [b"ab", b"abcdefgh", b"cd"] + [b"bad!"] * skip_bad
    one = file_split(b"zz")
    splits = DatasetDict(train=file_split(*contents), validation=one, test=one)
    data = data_module(byte_features(versions=3), splits, skip_bad=skip_bad)
    if trained:
        data.prepare()
        assert len(batches_rows(data.train_dataloader())) == 3  # half of two examples thrice
    else:
        data.open()
    loader = data.evaluation_loader("train")
    assert batches_rows(loader) == [[97, 0, 1], [97, 1, 4], [99, 2, 1]]
    assert len(data.encoded("train")) == len(data.sources("train", [0, 1, 2])) == 3


def test_only_the_split_that_is_evaluated_is_read(
    byte_features: MakeFeatures, file_split: FileSplit
) -> None:
    features, one = byte_features(), file_split(b"zz")
    data = data_module(features, DatasetDict(train=file_split(b"ab"), validation=one, test=one))
    data.open()
    assert features.calls == []
    assert np.array(data.encoded("test").rows).tolist() == [0]
    assert features.calls == [("example 1 of the test split", 0)]


def test_what_cannot_be_written_is_known(
    byte_features: MakeFeatures, file_split: FileSplit
) -> None:
    one = file_split(b"ab")
    splits = DatasetDict(train=one, validation=one, test=file_split(b"cd", b"ef"))
    data = data_module(byte_features(), splits)
    data.prepare()
    assert [data.written[split].unwritable for split in splits] == [0, 0, 1]
    assert data.written["test"].first == ("example 2 of the test split", "b", "<unk>")


@pytest.mark.parametrize(("kind", "goes_on"), [("cuda", True), ("mps", False), ("cpu", False)])
def test_only_a_gpu_fetches_a_batch_while_the_host_goes_on(
    byte_features: MakeFeatures, kind: str, goes_on: bool
) -> None:
    moves: list[tuple[torch.device, bool]] = []

    class Moving:
        def to(self, device: torch.device, non_blocking: bool) -> None:
            moves.append((device, non_blocking))

    data = data_module(byte_features(), DatasetDict())
    data.transfer_batch_to_device(Moving(), torch.device(kind), 0)  # type: ignore[arg-type]
    assert moves == [(torch.device(kind), goes_on)]
