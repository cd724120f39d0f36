"""Texts to ids: some at a time, and each column only once."""

from pathlib import Path

import pytest
from datasets import Dataset

from tandem.data import token_cache
from tandem.data.token_cache import encode_column, encode_texts
from tandem.data.tokenizers import WordTokenizer
from tandem.data.tokenizers.tokenizer import Tokenizer

TEXTS = ["a b", "c", "b b a", "a", "c a"]


@pytest.fixture
def tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tokenizer:
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path))
    monkeypatch.setattr(token_cache, "TEXTS_AT_ONCE", 2)
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
    assert again.digest == first.digest
    assert again.ids.values.tolist() == first.ids.values.tolist()
    assert again.ids.offsets.tolist() == first.ids.offsets.tolist()
