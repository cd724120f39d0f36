"""Scores of a model that writes each reference as well as its tokenizer can."""

import re
from typing import Any

import pytest
from omegaconf import OmegaConf

from tandem.config.catalogue import complete_options
from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.core.directions import is_better
from tandem.data.tokenizers import Tokenizer
from tandem.data.written import (
    BLANKS,
    CASE,
    CHANGES,
    FORM,
    OTHER,
    UNKNOWN,
    Changed,
    Written,
    written,
)
from tandem.inference.ceilings import (
    REMEDIES,
    as_record,
    ceilings,
    closest_outputs,
    warning,
)
from tandem.metrics import Metric

REFERENCES = [
    ["un deux\u00a0!", "un trois !"],
    ["Le  chat est sur le tapis"],
    ["Le chien du voisin court vite", "une b\u00eate"],
    ["e\u0301t\u00e9 \ufb01n de l'histoire", "zzz yyy xxx www vvv zzz yyy xxx"],
    ["quatre cinq six sept"],
]
LEARNT = ["un deux ! trois Le chat est sur le tapis quatre cinq six sept le une b\u00eate"]


def from_conf(group: str, option: str, **changes: Any) -> Any:
    """What a YAML file describes."""
    spec: Any = OmegaConf.load(config_folder() / group / f"{option}.yaml")
    if group == "metric":
        (spec,) = spec.values()
    return make(OmegaConf.merge(spec, changes))


TOKENIZERS = {
    **{option: (option, {}) for option in complete_options("tokenizer")},
    "word in small letters": ("word", {"lowercase": True}),
    "byte after NFC": ("byte", {"normalization": "nfc"}),
}


def trained(name: str) -> Tokenizer:
    option, changes = TOKENIZERS[name]
    sizes = {} if option == "byte" else {"vocabulary_size": 300}
    tokenizer: Tokenizer = from_conf("tokenizer", option, **sizes, **changes).train(LEARNT)
    return tokenizer


def looked_at(tokenizer: Tokenizer) -> Written:
    rows = [list(zip(texts, tokenizer.encode_batch(texts), strict=True)) for texts in REFERENCES]
    return written(rows, tokenizer, lambda row: f"row {row}")


@pytest.mark.parametrize("option", complete_options("metric"))
@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_perfect_model_scores_the_ceiling(name: str, option: str) -> None:
    """It writes a reference where one can be written, and else the first as it comes back."""
    tokenizer, metric = trained(name), from_conf("metric", option)
    found = looked_at(tokenizer)
    limits = ceilings([metric], REFERENCES, found, prefix="test")
    outputs, ideal = [], []
    for texts in REFERENCES:
        after = [tokenizer.decode(ids) for ids in tokenizer.encode_batch(texts)]
        same = [text for text in texts if text in after]
        outputs.append(same[0] if same else after[0])
        ideal.append(same[0] if same else texts[0])
    scores, perfect = metric(outputs, REFERENCES), metric(ideal, REFERENCES)
    for score, direction in metric.directions.items():
        limit = limits.pop(f"test/{score}", None)
        expected = perfect[score] if limit is None else limit
        assert scores[score] == pytest.approx(expected, abs=0.005)
        assert limit is None or is_better(perfect[score], limit, direction)
    assert not limits


def test_what_is_limited() -> None:
    metrics: list[Metric] = [from_conf("metric", name) for name in ("exact_match", "wer", "rouge")]
    found = Written(rows=2, unwritable=1, outputs={1: "b !"})
    references = [["a"], ["b\u00a0!"]]
    assert closest_outputs(references, found) == ["a", "b !"]
    assert ceilings(metrics, references, found, prefix="val") == {
        "val/exact_match": 50.0,
        "val/wer": 100.0,
    }


def test_case_that_a_metric_leaves_out_of_account_is_no_limit() -> None:
    found = Written(rows=1, unwritable=1, outputs={0: "a b"})
    metrics: list[Metric] = [
        from_conf("metric", "exact_match", lowercase=True),
        from_conf("metric", "wer", normalization="basic"),
        from_conf("metric", "cer"),
    ]
    assert ceilings(metrics, [["A B"]], found, prefix="val") == {"val/cer": pytest.approx(200 / 3)}


def changed(text: str, after: str, *, rows: int = 2000, **options: Any) -> Written:
    """One of so many rows comes back changed."""
    given = {"changes": frozenset({"blanks"}), **options}
    return Written(rows=rows, unwritable=1, first=Changed("line 3", text, after), **given)


def test_the_warning() -> None:
    fine = Written(rows=9, unwritable=0)
    splits = {
        "train": changed("a \u00a0", "a", is_all=False),
        "validation": fine,
        "test": changed("e\u0301", "\u00e9", changes=frozenset({"forms of Unicode"})),
    }
    assert warning({"train": fine, "validation": fine}, {}) is None
    assert warning(splits, {"test/exact_match": 50.0, "test/wer": 1.5}) == (
        "The target tokenizer cannot write 1 of the first 2,000 training targets, 1 of 2,000 test "
        "references as they stand (blanks, forms of Unicode): in line 3 'a \\xa0' comes back as "
        "'a'; in line 3 'e\\u0301' comes back as '\\xe9'. Outputs as close to the references as it "
        "can write score test/exact_match 50.00, test/wer 1.50. To keep texts as they are, train "
        "with tokenizer=bpe (tokenizer.byte_fallback=true) or tokenizer=byte and "
        "tokenizer.normalization=none"
    )


def test_a_long_text_is_shown_where_it_differs() -> None:
    start = "".join(f"{number:3d}" for number in range(40))
    sentences = warning({"test": changed(f"{start}é x{start}", f"{start}è x{start}")}, {})
    assert sentences is not None
    assert "in line 3 …' 30 31 32 33 34 35 36 37 38 39é x  0  1  2" in sentences
    assert "9è x  0  1  2  3  4  5  6  7  8 '… comes" not in sentences
    assert len(sentences) < 400


@pytest.mark.parametrize("change", CHANGES)
def test_remedies_help(compose_config: Any, change: str) -> None:
    texts = {
        UNKNOWN: "never seen \u2603",
        CASE: "Un Deux",
        BLANKS: " un\u00a0deux\n",
        FORM: "e\u0301",
        OTHER: "\u0130I \u212b",
    }
    for remedy in REMEDIES[change].split(" or "):
        overrides = re.findall(r"[\w.]+=\w+", remedy)
        tokenizer = overrides if "tokenizer=" in remedy else ["tokenizer=byte", *overrides]
        cfg = compose_config("train", *tokenizer)
        learnt = make(cfg.tokenizer).train(LEARNT)
        assert learnt.decode(*learnt.encode_batch([texts[change]])) == texts[change]


def test_the_record() -> None:
    assert as_record(Written(rows=9, unwritable=0), {}) == {"rows": 9, "unwritable": 0}
    assert as_record(changed("a ", "a"), {"val/wer": 3.0}) == {
        "rows": 2000,
        "unwritable": 1,
        "first": {"place": "line 3", "text": "a ", "written": "a"},
        "ceilings": {"val/wer": 3.0},
    }
