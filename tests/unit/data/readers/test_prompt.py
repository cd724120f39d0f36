"""Prompts: texts of the target's vocabulary, perhaps empty; a split has none."""

from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from tandem.core.errors import InputError
from tandem.data.readers import PromptReader
from tandem.data.tokenizers import WordTokenizer


@pytest.fixture
def reader() -> PromptReader:
    recipe = WordTokenizer(
        shared=False, lowercase=False, normalization="none", vocabulary_size=9, min_frequency=1
    )
    return PromptReader(recipe.train(["a b"]))


def test_prompts_lie_before_padding(reader: PromptReader) -> None:
    source, mask = reader.read(["a b", "", "b"]).batch(np.arange(3))
    assert mask.sum(1).tolist() == [3, 1, 2]
    assert reader.prompts(source).tolist() == [[4, 5], [0, 0], [5, 0]]


def test_a_split_has_no_prompts_whatever_its_sources_are(reader: PromptReader) -> None:
    split = Dataset.from_dict({"source": [{"path": "a.png"}, None], "target": ["a", "b"]})
    column, rows, _ = reader.read_split(split, "train", training=True, skip_bad=False)
    assert column.padded_lengths.tolist() == [1, 1]
    assert rows.tolist() == [0, 1]


def test_a_line_may_be_empty_but_not_too_long(reader: PromptReader) -> None:
    reader.check_lines(["", "a b"], most=2)
    with pytest.raises(InputError, match=r"^Line 7 of the input has 2 symbols, more than"):
        reader.check_lines(["a", "a b"], most=1, first=6)


def test_a_bundle_holds_nothing_but_the_target_s_tokenizer(
    reader: PromptReader, tmp_path: Path
) -> None:
    options = reader.to_bundle(tmp_path, shared=True)
    assert not list(tmp_path.iterdir())
    made = {"open_file": Path, "build": lambda spec: spec}
    read = PromptReader.from_bundle(options, shared=reader.target, **made)
    assert read.identity() == reader.identity()
    with pytest.raises(TypeError):
        PromptReader.from_bundle(options, shared=None, **made)
