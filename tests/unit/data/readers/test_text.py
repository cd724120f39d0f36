"""Texts to ids: never empty, cut where it is asked for, the same after a trip through a bundle."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from datasets import Dataset

from tandem.core.errors import InputError
from tandem.data.readers import TextReader
from tandem.data.tokenizers import WordTokenizer
from tandem.data.tokenizers.tokenizer import Tokenizer

TEXTS = ["a b", "c", "b b a", "a", "c a"]


@pytest.fixture
def tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tokenizer:
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path))
    return trained(TEXTS)


def trained(texts: list[str]) -> Tokenizer:
    recipe = WordTokenizer(
        shared=True, lowercase=False, normalization="none", vocabulary_size=9, min_frequency=1
    )
    return recipe.train(texts)


def test_sources_are_truncated(tokenizer: Tokenizer) -> None:
    split = Dataset.from_dict({"source": TEXTS})
    for most, lengths in ((None, [2, 1, 3, 1, 2]), (2, [2, 1, 2, 1, 2])):
        reader = TextReader(tokenizer, truncate=most)
        assert reader.read(TEXTS).lengths.tolist() == lengths
        column, rows, _ = reader.read_split(split, "train", training=True, skip_bad=True)
        assert column.lengths.tolist() == lengths
        assert rows.tolist() == list(range(5))


def test_sources_are_never_without_symbols(tokenizer: Tokenizer) -> None:
    reader = TextReader(tokenizer, truncate=None)
    with pytest.raises(InputError) as caught:
        reader.read(["a", "\t"])
    assert str(caught.value) == (
        "The source '\\t' has no source symbols after tokenising; remove it or choose another "
        "tokenizer."
    )
    with pytest.raises(InputError, match=r"^Source 2 is empty; every source needs some text\.$"):
        reader.read(["a", ""])
    split = Dataset.from_dict({"source": ["a", "\t"]})
    with pytest.raises(InputError, match="Example 2 of the test split has no source symbols"):
        reader.read_split(split, "test", training=False, skip_bad=True)


def test_lines_of_input(tokenizer: Tokenizer) -> None:
    reader = TextReader(tokenizer, truncate=None)
    reader.check_lines(TEXTS, most=3)
    with pytest.raises(InputError) as caught:
        reader.check_lines(TEXTS, most=2)
    assert str(caught.value) == (
        "Line 3 of the input has 3 symbols, more than max_source_length=2; shorten it or raise "
        "max_source_length."
    )
    with pytest.raises(InputError) as caught:
        reader.check_lines(["a", " "], most=2)
    assert str(caught.value) == "Line 2 of the input is empty; every line needs a source."
    TextReader(tokenizer, truncate=1).check_lines(TEXTS, most=2)


def test_special_symbols_around_a_text(tokenizer: Tokenizer) -> None:
    reader = TextReader(tokenizer, truncate=2, before=1, after=None)
    ids, _ = reader.read(["b b a"]).batch(np.array([0]))
    assert reader.labels(ids[0].numpy()) == ["<bos>", "b", "b"]
    assert (reader.specials_before, reader.specials_after) == (1, 0)
    plain = TextReader(tokenizer, truncate=2)
    ids, _ = plain.read(["b b a"]).batch(np.array([0]))
    assert plain.labels(ids[0].numpy()) == ["b", "b", "<eos>"]
    assert (plain.specials_before, plain.specials_after) == (0, 1)


def test_identity_is_all_that_decides_about_ids(tokenizer: Tokenizer) -> None:
    readers = [
        TextReader(tokenizer, truncate=None),
        TextReader(tokenizer, truncate=3),
        TextReader(tokenizer, truncate=None, before=1),
        TextReader(tokenizer, truncate=None, after=None),
        TextReader(trained(["a b"]), truncate=None),
    ]
    assert len({reader.identity() for reader in readers}) == len(readers)
    same = TextReader(Tokenizer.from_json(tokenizer.to_json()), truncate=None)
    assert same.identity() == readers[0].identity()
    assert readers[-1].with_tokenizers([tokenizer]).identity() == readers[0].identity()


@pytest.mark.parametrize("shared", [False, True])
def test_a_trip_through_a_bundle(tokenizer: Tokenizer, tmp_path: Path, shared: bool) -> None:
    reader = TextReader(tokenizer, truncate=3, before=1, after=None)
    options = reader.to_bundle(tmp_path, shared=shared)
    again = TextReader.from_bundle(
        options,
        open_file=lambda name: tmp_path / name,
        build=lambda spec: pytest.fail("texts have no features"),
        shared=tokenizer if shared else None,
    )
    assert again.identity() == reader.identity()
    assert (tmp_path / "source_tokenizer.json").exists() != shared


def test_resampled_sources_keep_truncation_and_special_symbols(tokenizer: Tokenizer) -> None:
    def make_cutter(tokenizer: Tokenizer):
        def cut(word: str, random: Random) -> list[int]:
            return tokenizer.cut(word) * random.randint(1, 2)

        return cut

    reader = TextReader(tokenizer, truncate=2, before=1)
    split, rows = Dataset.from_dict({"source": TEXTS}), np.array([2, 0])
    of_epoch = reader.resampled(make_cutter, split, rows, seed="0")
    assert of_epoch is not None
    ids, _ = of_epoch(3).batch(np.array([0, 1]))
    assert ids[:, 0].tolist() == [1, 1]
    assert ids.shape == (2, 4)
    assert reader.resampled(lambda _: None, split, rows, seed="0") is None
