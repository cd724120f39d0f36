"""What tokenizers make of the texts that they are to write."""

from typing import Any

import pytest
from datasets import Dataset

from tandem.data import written as written_module
from tandem.data.preprocessing import Processors
from tandem.data.readers import TextReader
from tandem.data.token_cache import encode_texts
from tandem.data.tokenizers import ByteTokenizer, CharTokenizer, Tokenizer, WordTokenizer
from tandem.data.written import BLANKS, CASE, FORM, UNKNOWN, Written, look_at, look_at_stream


def tokenizer(*texts: str, cls: Any = WordTokenizer, **options: Any) -> Tokenizer:
    """One that was learnt from these texts."""
    given = {"shared": False, "lowercase": False, "normalization": "none", **options}
    if cls is not ByteTokenizer:
        given |= {"vocabulary_size": 100, "min_frequency": 1}
    made: Tokenizer = cls(**given).train(texts)
    return made


def looked_at(learnt: Tokenizer, *, training: bool = False, **columns: Any) -> Written:
    """A split with these columns."""
    rows = len(columns["target"])
    split = Dataset.from_dict({"source": ["x"] * rows, **columns})
    processors = Processors(TextReader(learnt, truncate=None), learnt, shared=True)
    return look_at(
        processors,
        split,
        "test",
        encode_texts(learnt, columns["target"]),
        training=training,
    )


@pytest.mark.parametrize(
    ("text", "options", "after", "change"),
    [
        ("a b\u00a0!", {}, "a b !", BLANKS),
        ("a  b", {}, "a b", BLANKS),
        ("a\tb ", {}, "a b", BLANKS),
        ("a c", {}, "a <unk>", UNKNOWN),
        ("A b", {"lowercase": True}, "a b", CASE),
        ("A  b", {"lowercase": True}, "a b", CASE),
        ("\ufb01", {"normalization": "nfkc"}, "fi", FORM),
        ("\u00e9", {"normalization": "nfd"}, "e\u0301", FORM),
        ("az", {"cls": CharTokenizer}, "a<unk>", UNKNOWN),
        ("\u212b", {"cls": ByteTokenizer, "normalization": "nfc"}, "\u00c5", FORM),
    ],
    ids=ascii,
)
def test_what_changes(text: str, options: dict[str, Any], after: str, change: str) -> None:
    learnt = tokenizer("a b ! fi e\u0301", **options)
    found = looked_at(learnt, target=["a b", text])
    assert (found.rows, found.unwritable, found.is_all) == (2, 1, True)
    assert found.first == ("example 2 of the test split", text, after)
    assert found.changes == {change}
    assert found.outputs == {1: after}


def test_what_stays() -> None:
    texts = ["un deux\u00a0!", "  \t\n", "\u00e9 e\u0301 \ufb01 \U0001f600 \x00"]
    for cls in (ByteTokenizer, CharTokenizer):
        found = looked_at(tokenizer(*texts, cls=cls), target=texts)
        assert found == Written(rows=3, unwritable=0)


def test_a_row_is_writable_if_one_of_its_references_is() -> None:
    references = [["a c", "b  a", "a b"], ["d c", "a c b", "d  d"], ["b"]]
    found = looked_at(tokenizer("a b"), target=["z"] * 3, references=references)
    assert (found.rows, found.unwritable) == (3, 1)
    # The closest of the second row's has the fewest unknown symbols.
    assert found.outputs == {0: "a b", 1: "a <unk> b"}
    assert found.first == ("example 2 of the test split", "a c b", "a <unk> b")


def test_of_training_the_first_targets_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_module, "MOST_TARGETS", 3)
    columns = {"target": ["a", "b ", "a", "b "], "references": [["c"]] * 4}
    found = looked_at(tokenizer("a b"), training=True, **columns)
    assert (found.rows, found.unwritable, found.is_all) == (3, 1, False)
    assert looked_at(tokenizer("a b"), **columns).unwritable == 4


def test_a_stream() -> None:
    found = look_at_stream(tokenizer("a b"), [("x", "a b"), ("y", "b  a")])
    assert (found.rows, found.unwritable, found.is_all) == (2, 1, False)
    assert found.first == ("pair 2 of the sample", "b  a", "b a")


def test_a_lossless_tokenizer_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = tokenizer(cls=ByteTokenizer)
    monkeypatch.setattr(Tokenizer, "decode", None)
    assert looked_at(learnt, target=["a", "b"]) == Written(rows=2, unwritable=0)
    assert look_at_stream(learnt, [("x", "y")]) == Written(rows=1, unwritable=0, is_all=False)
