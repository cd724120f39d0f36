"""Texts to ids: some at a time, and each column only once."""

from pathlib import Path

import pytest
from datasets import Dataset

from tandem.core.errors import InputError
from tandem.data import text
from tandem.data.text import encode_column, encode_source_column, encode_sources, encode_texts
from tandem.data.tokenizers import WordTokenizer
from tandem.data.tokenizers.tokenizer import Tokenizer

TEXTS = ["a b", "c", "b b a", "a", "c a"]


@pytest.fixture
def tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tokenizer:
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path))
    monkeypatch.setattr(text, "TEXTS_AT_ONCE", 2)
    recipe = WordTokenizer(
        shared=True, lowercase=False, normalization="none", vocabulary_size=9, min_frequency=1
    )
    return recipe.train(TEXTS)


def test_parts_are_put_together_in_order(tokenizer: Tokenizer) -> None:
    ids = encode_texts(tokenizer, TEXTS)
    assert [ids.row(row) for row in range(len(ids))] == tokenizer.encode_batch(TEXTS)


def test_a_column_is_encoded_once(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    split = Dataset.from_dict({"target": TEXTS})
    first = encode_column(tokenizer, split, "target", "train")
    monkeypatch.setattr(Tokenizer, "encode_batch", lambda *_: pytest.fail("encoded again"))
    again = encode_column(tokenizer, split, "target", "train")
    assert again.values.tolist() == first.values.tolist()
    assert again.offsets.tolist() == first.offsets.tolist()


def test_sources_are_cut_and_never_without_symbols(tokenizer: Tokenizer) -> None:
    cut = encode_sources(tokenizer, TEXTS, truncate=2)
    assert cut.lengths.tolist() == [2, 1, 2, 1, 2]
    with pytest.raises(InputError) as caught:
        encode_sources(tokenizer, ["a", "\t"], truncate=None)
    assert str(caught.value) == (
        "The source '\\t' has no source symbols after tokenising; remove it or choose another "
        "tokenizer."
    )
    split = Dataset.from_dict({"source": ["a", "\t"]})
    with pytest.raises(InputError, match="Example 2 of the test split has no source symbols"):
        encode_source_column(tokenizer, split, "test", truncate=None)
