"""Of which run each weight and each vocabulary begins."""

import pytest

from tandem.training.weight_sources import WeightSources

NAMES = (
    *("frontend.table.weight", "encoder.layers.0.norm.weight", "target_table.weight"),
    *("decoder.attention.key.weight", "output.weight", "copier.gate.weight", "ctc.output.weight"),
    *("source_vocabulary", "target_vocabulary"),
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "aaaaaaaaa"),
        ({"encoder": "a"}, "aa-----a-"),
        ({"decoder": "b"}, "--bbbb--b"),
        ({"encoder": "a", "decoder": "b"}, "aabbbb-ab"),
        ({"encoder": "a", "frontend": None}, "-a-------"),
        ({"decoder": "b", "decoder.attention": None}, "--b-bb--b"),
        ({"model": "a", "target_vocabulary": None, "ctc": None}, "aaaaaa-a-"),
        ({"model": "a", "decoder": "b", "copier": None}, "aabbb-aab"),
        ({"source_vocabulary": "a", "target_vocabulary": "b"}, "-------ab"),
        ({"ctc": "a", "decoder": "b"}, "--bbbba-b"),
        ({"encoder.layers.0": "a"}, "-a-------"),
        ({"decoder": "b", "decoder.*.key": None}, "--b-bb--b"),
    ],
    ids=str,
)
def test_what_belongs_together_comes_from_one_run(value, expected):
    sources = WeightSources.of(value)
    assert "".join(sources.folder_of(name) or "-" for name in NAMES) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"decoder": "b"}, "bb"),
        ({"encoder": "a"}, "aa"),
        ({"encoder": "a", "source_vocabulary": None}, "--"),
        ("a", "aa"),
    ],
    ids=str,
)
def test_one_vocabulary_for_both_sides(value, expected):
    sources = WeightSources.of(value).share_vocabulary()
    assert "".join(sources.folder_of(name) or "-" for name in NAMES[-2:]) == expected
