"""A stream of shards: every pair once an epoch, under the budget, and exactly resumable."""

import gzip
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from datasets import Dataset

from tandem.config.folders import config_folder
from tandem.core.errors import InputError
from tandem.core.types import Batch
from tandem.data.augmentation import Augmentation
from tandem.data.batching import Budget, Encoded
from tandem.data.columns import TextColumn
from tandem.data.curriculum import Competence
from tandem.data.datasets import hub, json_lines, parallel
from tandem.data.module import DataModule, LengthFilter
from tandem.data.preprocessing import LearnProcessors
from tandem.data.ragged import Ragged
from tandem.data.rows.hub_rows import HubRows
from tandem.data.stream import Stream, StreamedSplits, StreamOptions
from tandem.data.stream_loader import StreamLoader
from tandem.data.tokenizers import BPETokenizer

SIZE = 50
NAMES = {"train": "train-*", "validation": "dev", "test": "dev"}


def pairs() -> list[tuple[str, str]]:
    """Pair i is ``i`` and some letters, so that lengths differ."""
    return [(f"{index} " + "x " * (index % 7), "y " * (1 + index % 5)) for index in range(SIZE)]


def write(folder: Path, ending: str = "") -> Path:
    """Three shards of parallel text with unequal numbers of lines."""
    opened: Any = gzip.open if ending else open
    for name, part in (("1", pairs()[:10]), ("2", pairs()[10:31]), ("3", pairs()[31:])):
        for side, language in enumerate(("a", "b")):
            with opened(folder / f"train-{name}.{language}{ending}", "wt") as file:
                file.write("".join(f"{pair[side].strip()}\n" for pair in part))
    for language in ("a", "b"):
        with opened(folder / f"dev.{language}{ending}", "wt") as file:
            file.write("z\n")
    return folder


def options_of(name: str, **changes: Any) -> dict[str, Any]:
    """The options of a dataset as its config has them, a few changed."""
    content = yaml.safe_load((config_folder() / "dataset" / f"{name}.yaml").read_text())
    shared = {"strip": False, "streaming": True, "on_bad_example": "error"}
    options = {**content["dataset"], **shared, **changes}
    del options["_target_"]
    return options


def open_stream(folder: Path, ending: str = "", **changes: Any) -> Stream:
    names = {"source": f"a{ending}", "target": f"b{ending}", **NAMES, **changes}
    splits = parallel(**options_of("parallel", data_dir=str(folder), **names))
    assert isinstance(splits, StreamedSplits)
    assert {name: split.num_rows for name, split in splits.held_out.items()} == {
        "validation": 1,
        "test": 1,
    }
    return splits.train


def encode(sources: list[str], targets: list[str]) -> Encoded:
    """Ids are numbers of pairs and lengths of words; sources of seven symbols are too long."""
    source, target = (
        Ragged.from_lists(
            [[int(word) if word.isdigit() else 1 for word in text.split()] for text in texts]
        )
        for texts in (sources, targets)
    )
    encoded = Encoded(
        TextColumn(source, before=None, after=2), target, rows=np.arange(len(sources))
    )
    return encoded.taken((source.lengths < 7).nonzero()[0])


EXPECTED = sorted(index for index in range(SIZE) if index % 7 < 6)


def make_loader(
    stream: Stream,
    rank: int = 0,
    world_size: int = 1,
    seed: int = 0,
    asked_ahead: bool = True,
) -> StreamLoader:
    return StreamLoader(
        stream,
        encode,
        Budget(max_tokens=24, max_source_tokens=24, max_sentences=4),
        buffer_size=16,
        seed=seed,
        rank=rank,
        world_size=world_size,
        device=torch.device("cpu"),
        asked_ahead=asked_ahead,
    )


def numbers(batch: Batch) -> list[int]:
    """Which pairs a batch has."""
    return batch.source[:, 0].tolist()


def epoch(loader: StreamLoader) -> list[list[int]]:
    return [numbers(batch) for batch in loader]


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_every_pair_comes_once_an_epoch_in_new_orders(tmp_path: Path, ending: str) -> None:
    loader = make_loader(open_stream(write(tmp_path, ending), ending))
    first, second = epoch(loader), epoch(loader)
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second)) == EXPECTED
    assert first != second
    assert first == epoch(make_loader(loader.stream)) != epoch(make_loader(loader.stream, seed=1))


def test_batches_keep_the_budget_and_hold_similar_lengths(tmp_path: Path) -> None:
    batches = list(make_loader(open_stream(write(tmp_path))))
    for batch in batches:
        assert len(batch.source) <= 4
        assert max(batch.source.numel(), batch.target_in.numel()) <= 24 or len(batch.source) == 1
    real = sum(int(batch.target_mask.sum()) for batch in batches)
    assert real / sum(batch.target_mask.numel() for batch in batches) > 0.85


def test_rows_are_numbered_through_the_epoch(tmp_path: Path) -> None:
    rows = [row for batch in make_loader(open_stream(write(tmp_path))) for row in batch.indices]
    assert len(set(map(int, rows))) == len(EXPECTED)
    assert max(rows) < SIZE


def test_order_reaches_over_shards_but_not_over_buffers(tmp_path: Path) -> None:
    loader = make_loader(open_stream(write(tmp_path)))
    order = list(itertools.chain(*epoch(loader)))
    shard = [sum(number >= first for first in (10, 31)) for number in order]
    assert shard != sorted(shard)
    buffers = [set(order[:12]), set(order[-12:])]
    assert not buffers[0] & buffers[1]


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_every_batch(tmp_path: Path, world_size: int) -> None:
    stream = open_stream(write(tmp_path))
    whole = epoch(make_loader(stream))
    parts = [epoch(make_loader(stream, rank, world_size)) for rank in range(world_size)]
    assert {len(part) for part in parts} == {len(whole)}
    for batch, *shares in zip(whole, *parts, strict=True):
        if len(batch) < world_size:
            assert shares == [batch] * world_size
        else:
            assert sorted(itertools.chain(*shares)) == sorted(batch)


@pytest.mark.parametrize("asked_ahead", [True, False])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("used", [0, 1, 6, 9, "all but one", "all"])
def test_a_saved_place_gives_exactly_what_remains(
    tmp_path: Path, used: int | str, ending: str, asked_ahead: bool
) -> None:
    stream = open_stream(write(tmp_path, ending), ending)
    loader = make_loader(stream, asked_ahead=asked_ahead)
    epoch(loader)  # the place lies in the second epoch
    whole = epoch(make_from(stream, loader.state_dict()))
    count = {"all but one": len(whole) - 1, "all": len(whole)}.get(str(used), used)
    going = iter(loader)
    for _ in range(int(count) + asked_ahead):
        next(going, None)
    resumed = make_from(stream, loader.state_dict())
    rest = epoch(resumed)
    if count == len(whole):
        assert rest != whole  # the third epoch
        assert sorted(itertools.chain(*rest)) == EXPECTED
    else:
        assert rest == whole[int(count) :]


def make_from(stream: Stream, state: dict[str, Any]) -> StreamLoader:
    loader = make_loader(stream, seed=0)
    loader.load_state_dict(state)
    return loader


def test_asking_twice_for_an_iterator_loses_nothing(tmp_path: Path) -> None:
    loader = make_loader(open_stream(write(tmp_path)))
    next(iter(loader))
    assert sorted(itertools.chain(*epoch(loader))) == EXPECTED


def damage(path: Path, line: int, content: bytes) -> None:
    lines = path.read_bytes().split(b"\n")
    lines[line - 1] = content
    path.write_bytes(b"\n".join(lines))


BAD = {
    b"": "The source at {both} line 5 is empty, but every example needs a source and a target; "
    "correct the file or set dataset.on_bad_example=skip.",
    b"caf\xe9": "Line 5 of the file {path} must be UTF-8, but has the byte 0xE9; convert the file, "
    "for example with iconv -f WINDOWS-1252 -t UTF-8.",
}


@pytest.mark.parametrize("content", BAD)
def test_a_bad_line_is_named_or_counted(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path = write(tmp_path) / "train-2.a"
    damage(path, 5, content)
    both = str(path).replace(".a", ".{a,b}")
    message = BAD[content].format(path=path, both=both)
    with pytest.raises(InputError) as caught:
        epoch(make_loader(open_stream(tmp_path)))
    assert str(caught.value) == message
    skipping = make_loader(open_stream(tmp_path, on_bad_example="skip"))
    going = iter(skipping)
    for _ in range(8):  # counted over a resume, too
        next(going)
    resumed = make_from(skipping.stream, skipping.state_dict())
    epoch(resumed)
    assert (
        f"Epoch 0 of the stream: 49 pairs; left out 7 of them for length; skipped 1 bad ones, the "
        f"first: {message}" in caplog.text
    )
    assert sorted(itertools.chain(*epoch(resumed))) == [n for n in EXPECTED if n != 14]


@pytest.mark.parametrize("skip", ["error", "skip"])
def test_files_of_unequal_length(tmp_path: Path, skip: str) -> None:
    write(tmp_path)
    with (tmp_path / "train-1.a").open("a") as file:
        file.write("one more\n")
    with pytest.raises(InputError) as caught:
        epoch(make_loader(open_stream(tmp_path, on_bad_example=skip)))
    assert str(caught.value) == (
        f"The files {tmp_path / 'train-1.a'} (11 lines) and {tmp_path / 'train-1.b'} (10 lines) "
        "must have equally many lines, as line n of one belongs to line n of the others; check "
        "that none was cut or edited alone."
    )


def test_a_file_that_breaks_off(tmp_path: Path) -> None:
    path = write(tmp_path, ".gz") / "train-2.b.gz"
    path.write_bytes(path.read_bytes()[:-12])
    stream = open_stream(tmp_path, ".gz", on_bad_example="skip")
    with pytest.raises(InputError) as caught:
        epoch(make_loader(stream))
    assert f"The file {path} is not a whole gzip file" in str(caught.value)
    assert str(caught.value).endswith("; get it again.")


def test_nothing_to_train_on(tmp_path: Path) -> None:
    loader = make_loader(open_stream(write(tmp_path)))
    loader.encode = lambda sources, targets: encode(sources, targets).taken(np.arange(0))
    with pytest.raises(InputError) as caught:
        epoch(loader)
    assert str(caught.value) == (
        "The stream has nothing to train on: 50 pairs; left out 50 of them for length; correct the "
        "files, or raise data.max_source_length and data.max_target_length."
    )


def test_a_pattern_that_fits_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_stream(write(tmp_path), train="part-*")
    assert str(caught.value) == (
        f"No file in {tmp_path} fits the pattern part-*.a of the train split ({tmp_path} "
        "has dev.a, dev.b, train-1.a, train-1.b, train-2.a, train-2.b, train-3.a, train-3.b); "
        "correct dataset.data_dir or dataset.train."
    )


def test_a_pattern_without_a_stream(tmp_path: Path) -> None:
    names = {"source": "a", "target": "b", **NAMES, "streaming": False}
    splits = parallel(**options_of("parallel", data_dir=str(write(tmp_path)), **names))
    assert not isinstance(splits, StreamedSplits)
    assert [int(text.split()[0]) for text in splits["train"]["source"]] == list(range(SIZE))


def test_a_sample_takes_from_the_start_of_each_shard(tmp_path: Path) -> None:
    damage(write(tmp_path) / "train-1.a", 1, b"")
    stream = open_stream(tmp_path, on_bad_example="skip")
    assert [int(source.split()[0]) for source, _ in stream.sample(6)] == [1, 2, 10, 11, 31, 32]
    assert len(list(stream.sample(1000))) == SIZE - 1


@pytest.mark.parametrize("name", ["buffer_size", "sample_size"])
def test_a_stream_of_nothing(name: str) -> None:
    with pytest.raises(InputError, match=rf"^`stream.{name}` must be at least 1, but is 0\.$"):
        StreamOptions(**{"buffer_size": 1, "sample_size": 1, name: 0})


def open_json(folder: Path, *lines: str, on_bad_example: str) -> Stream:
    (folder / "train.jsonl").write_text("\n".join(lines))
    (folder / "dev.jsonl").write_text('{"a": "x", "b": "y"}')
    options = {"source": "a", "target": "b", "on_bad_example": on_bad_example}
    splits = json_lines(**options_of("json", data_dir=str(folder), **options))
    assert isinstance(splits, StreamedSplits)
    return splits.train


def test_json_lines_go_on_from_any_place(tmp_path: Path) -> None:
    lines = ['{"a": "é", "b": "1"}', "", '{"a": "y", "b": "2"}', '{"a": "z", "b": "3"}', ""]
    stream = open_json(tmp_path, *lines, on_bad_example="error")
    read = list(stream.read([0], ()))
    assert [pair for pair, _ in read] == [("é", "1"), ("y", "2"), ("z", "3")]
    for number, (_, place) in enumerate(read, start=1):
        assert list(stream.read([0], place)) == read[number:]


@pytest.mark.parametrize(
    "line", ['{"a": "x"', '{"a": "x"}', '{"a": true, "b": "y"}', '{"a": "\\n"}']
)
def test_a_bad_json_line_is_named_or_skipped(tmp_path: Path, line: str) -> None:
    lines = ['{"a": "x", "b": "y"}', line, '{"a": "v", "b": "w"}']
    with pytest.raises(InputError, match=r"train\.jsonl line 2 "):
        list(open_json(tmp_path, *lines, on_bad_example="error").sample(3))
    assert list(open_json(tmp_path, *lines, on_bad_example="skip").sample(3)) == [
        ("x", "y"),
        ("v", "w"),
    ]


def open_hub(folder: Path, **changes: Any) -> Stream:
    for shard in range(2):
        texts = [
            {"a": f"s{shard}{row}", "b": f"t{shard}{row}" if row else None} for row in range(3)
        ]
        Dataset.from_list([{"pair": text, "n": 1} for text in texts]).to_parquet(
            folder / f"train-0000{shard}-of-00002.parquet"
        )
    Dataset.from_list([{"pair": {"a": "x", "b": "y"}, "n": 1}]).to_parquet(
        folder / "test-00000-of-00001.parquet"
    )
    options = {"source": "pair.a", "target": "pair.b", "on_bad_example": "skip", **changes}
    splits = hub(**options_of("hub", path=str(folder), validation="test", **options))
    assert isinstance(splits, StreamedSplits)
    return splits.train


def test_parquet_goes_on_from_any_place(tmp_path: Path) -> None:
    stream = open_hub(tmp_path)
    assert len(stream.shards) == 2
    read = list(stream.read([1, 0], ()))
    pairs = [example for example, _ in read if not isinstance(example, InputError)]
    assert pairs == [("s11", "t11"), ("s12", "t12"), ("s01", "t01"), ("s02", "t02")]
    for number, (_, place) in enumerate(read, start=1):
        rest = [place for _, place in stream.read([1, 0], place)]
        assert rest == [place for _, place in read[number:]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"on_bad_example": "error"},
            "The target at {path} split train shard 1 of 2 row 1 is empty, but every example needs "
            "a source and a target; correct the file or set dataset.on_bad_example=skip.",
        ),
        (
            {"train": "train[:50%]"},
            "dataset.train=train[:50%] is a part of a split, but a stream reads a whole one; name "
            "a whole split, or set data.streaming=false.",
        ),
    ],
)
def test_parquet_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        list(open_hub(tmp_path, **changes).sample(6))
    assert str(caught.value) == message.format(path=tmp_path)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            "n",
            "The column `n` of here must hold text, but holds int64; set "
            "dataset.source to another.",
        ),
        (
            "pair.c",
            "here has no column `pair.c` (its columns are pair.a, pair.b, n); set "
            "dataset.source to one of them.",
        ),
    ],
)
def test_columns_of_a_shard_that_differ(tmp_path: Path, column: str, message: str) -> None:
    rows = open_hub(tmp_path).shards[0].rows
    assert isinstance(rows, HubRows)
    with pytest.raises(InputError) as caught:
        next(replace(rows, name="here", columns={"source": column}).read(()))
    assert str(caught.value) == message


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("curriculum", [None, Competence(start=0.5, epochs=2)])
def test_its_examples_are_the_same_in_every_epoch(
    tmp_path: Path, dropout: float, curriculum: Competence | None
) -> None:
    folder = write(tmp_path)
    recipe = BPETokenizer(
        shared=True,
        lowercase=False,
        normalization="none",
        vocabulary_size=60,
        byte_fallback=False,
        min_frequency=1,
        dropout=dropout,
    )
    options = options_of("parallel", data_dir=str(folder), source="a", target="b", **NAMES)
    data = DataModule(
        load=lambda: parallel(**options),
        learn=LearnProcessors(
            reader=None, source_recipe=recipe, target_recipe=recipe, truncate_source=None
        ),
        length_filter=LengthFilter(max_source_length=None, max_target_length=None),
        skip_bad=False,
        budget=Budget(max_tokens=24, max_source_tokens=24, max_sentences=4),
        stream_options=StreamOptions(buffer_size=16, sample_size=50),
        overfit=None,
        augmentation=Augmentation(
            source_cutter=recipe.cutter,
            target_cutter=recipe.cutter,
            curriculum=curriculum,
            seed=0,
        ),
        seed=0,
    )
    if not dropout and curriculum is None:
        data.prepare()
    else:
        with pytest.raises(InputError, match="reads the same examples in every epoch; set curr"):
            data.prepare()
