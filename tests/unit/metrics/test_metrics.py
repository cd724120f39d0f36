"""Numbers worked out by hand; each comment says how."""

import math
import warnings
from typing import ClassVar

import numpy as np
import pytest
from omegaconf import OmegaConf

from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.core.errors import InputError
from tandem.metrics import BLEU, CER, PER, ROUGE, TER, WER, ChrF, ExactMatch, Metric
from tandem.metrics.base import directions_of
from tandem.metrics.spaces import warning_of_spaces

pytestmark = pytest.mark.filterwarnings("error")


def bleu() -> BLEU:
    return BLEU(tokenize="13a", lowercase=False, smooth_method="exp")


def chrf(char_order: int = 2) -> ChrF:
    return ChrF(char_order=char_order, word_order=0, beta=2, lowercase=False)


def rouge(*, stemmer: bool = False, tokenize: str = "words") -> ROUGE:
    return ROUGE(stemmer=stemmer, tokenize=tokenize)


def from_conf(option: str) -> Metric:
    """A metric as its YAML file has it."""
    (spec,) = OmegaConf.load(config_folder() / "metric" / f"{option}.yaml").values()
    metric: Metric = make(spec)
    return metric


OPTIONS = sorted(path.stem for path in (config_folder() / "metric").glob("*.yaml"))
ALL = [from_conf(option) for option in OPTIONS]
BY_CORPUS = {"cider"}
"""Of which one row alone says nothing, as a score depends on which rows stand together."""
PERFECT = {"max": 100, "min": 0}
ERROR_RATES = {"ter", "wer", "cer", "per"}
EACH = pytest.mark.parametrize("metric", ALL, ids=OPTIONS)


def test_exact_match() -> None:
    hypotheses = ["a b", "a  b", " c ", "D"]
    references = [["a b"], ["a b"], ["x", "c"], ["d"]]
    assert ExactMatch(lowercase=False)(hypotheses, references) == {"exact_match": 50.0}
    assert ExactMatch(lowercase=True)(hypotheses, references) == {"exact_match": 75.0}


def test_bleu() -> None:
    # Matches: 5 of 6 words, 3 of 5 pairs, 2 of 4 triples, 1 of 3 fours; equal length, no penalty.
    expected = 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    score = bleu()(["the cat sat on a mat"], [["the cat sat on the mat"]])
    assert score["bleu"] == pytest.approx(expected)


def test_bleu_brevity_penalty() -> None:
    score = bleu()(["a b c d"], [["a b c d e"]])  # all n-grams match; length 4 against 5
    assert score["bleu"] == pytest.approx(100 * math.exp(1 - 5 / 4))


def test_bleu_options() -> None:
    lower = BLEU(tokenize="none", lowercase=True, smooth_method="exp")
    assert lower(["A B C D"], [["a b c d"]])["bleu"] == pytest.approx(100)
    with pytest.raises(InputError, match=r"metric.bleu.tokenize \(13b\) is not known"):
        BLEU(tokenize="13b", lowercase=False, smooth_method="exp")
    with pytest.raises(InputError, match=r"smooth_method \(add\).*one of add-k, exp"):
        BLEU(tokenize="13a", lowercase=False, smooth_method="add")


def test_bleu_says_nothing_about_tokenised_text(caplog: pytest.LogCaptureFixture) -> None:
    bleu()(["a b c ."] * 200, [["a b c ."]] * 200)
    assert not caplog.records


def test_chrf() -> None:
    # "abcd" against "abce": letters 3 of 4, pairs 2 of 3 on both sides, so precision = recall =
    # the mean of 3/4 and 2/3, and the F-score is the same.
    assert chrf()(["abcd"], [["abce"]])["chrf"] == pytest.approx(100 * (3 / 4 + 2 / 3) / 2)


def test_ter() -> None:
    ter = TER(case_sensitive=False, normalized=False)
    # One substitution against 4 words; then a shifted phrase is one edit.
    assert ter(["a b c x"], [["a b c d"]]) == {"ter": 25.0}
    assert ter(["c d a b"], [["a b c d"]]) == {"ter": 25.0}
    assert TER(case_sensitive=True, normalized=False)(["A b"], [["a b"]]) == {"ter": 50.0}


def test_rouge() -> None:
    score = rouge()(["the cat sat"], [["the cat was here"]])
    # Words: 2 of 3 and 2 of 4; pairs: 1 of 2 and 1 of 3; longest common part: 2.
    assert score["rouge1"] == pytest.approx(100 * 2 * 2 / (3 + 4))
    assert score["rouge2"] == pytest.approx(100 * 2 * 1 / (2 + 3))
    assert score["rougeL"] == pytest.approx(100 * 2 * 2 / (3 + 4))


def test_rouge_stemmer() -> None:
    assert rouge()(["dogs running"], [["dog runs"]])["rouge1"] == 0
    assert rouge(stemmer=True)(["dogs running"], [["dog runs"]])["rouge1"] == pytest.approx(100)


@pytest.mark.parametrize("stemmer", [False, True])
def test_rouge_of_ascii_is_that_of_rouge_score(stemmer: bool) -> None:
    docs = [text for part in (str, dict, math, np.ndarray) for text in documentation(part)]
    texts = [text for text in docs if text.isascii()]
    assert len(texts) > 100
    references = [[text, text[::-1]] for text in [*texts[1:], texts[0]]]
    scores = [
        rouge(stemmer=stemmer, tokenize=tokenize)(texts, references)
        for tokenize in ("words", "rouge_score")
    ]
    assert scores[0] == scores[1]


def documentation(part: object) -> list[str]:
    """English texts with code in them."""
    return [str(getattr(part, name).__doc__) for name in dir(part)]


SCRIPTS = {
    "Cyrillic": ("мама мыла раму", "мама|мыла|раму"),
    "Greek": ("η γλώσσα!", "η|γλώσσα"),
    "Hindi": ("हिन्दी में नमस्ते।", "हिन्दी|में|नमस्ते"),
    "Tamil": ("தமிழ் மொழி", "தமிழ்|மொழி"),
    "Arabic with marks": ("مُحَمَّد هنا؟", "مُحَمَّد|هنا"),
    "Persian with a joiner": ("می\u200cکنم بد", "می\u200cکنم|بد"),
    "Korean": ("한국어 문장.", "한국어|문장"),
    "Chinese": ("我爱你, Bob!", "我|爱|你|bob"),
    "Japanese": ("テキスト、これ", "テ|キ|ス|ト|こ|れ"),
    "Thai": ("ดี มาก", "ดี|ม|า|ก"),
    "accents": ("naïve CAFÉ-cafe\u0301 ğ", "naïve|café|cafe\u0301|ğ"),
    "marks alone": ("\u0301 ok \u2600\ufe0f", "ok"),
}


@pytest.mark.parametrize(("text", "words"), SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("stemmer", [False, True])
def test_rouge_knows_the_words_of_every_script(text: str, words: str, stemmer: bool) -> None:
    expected = words.split("|")
    assert rouge(stemmer=stemmer)([text], [[text]])["rouge1"] == 100
    for count in range(1, len(expected)):  # the start alone has recall count / all, precision 1
        start = text[: text.lower().index(expected[count - 1]) + len(expected[count - 1])]
        score = rouge(stemmer=stemmer)([start], [[text]])["rougeL"]
        assert score == pytest.approx(100 * 2 * count / (count + len(expected)))


def test_rouge_refuses_another_tokenizer() -> None:
    with pytest.raises(InputError) as caught:
        rouge(tokenize="13a")
    assert str(caught.value) == "metric.rouge.tokenize (13a) must be one of words, rouge_score."


def test_wer_counts_over_the_corpus() -> None:
    # 1 missing of 3, 1 wrong and 1 added against 1: 3 errors over 4 words, not a mean of rows.
    score = WER(normalization="none")(["a b", "x y"], [["a b c"], ["z"]])
    assert score == {"wer": 75.0}


def test_wer_takes_the_reference_with_fewest_errors() -> None:
    score = WER(normalization="none")(["a b c", "q"], [["x y", "a b c d"], ["q"]])
    assert score == {"wer": pytest.approx(100 * 1 / 5)}


def test_of_references_with_equally_many_errors_the_longest_counts() -> None:
    """One error against 1, 2 or 4 words: 25 %, whichever reference stands first."""
    for references in (["x", "a x", "a b c x"], ["a b c x", "x", "a x"]):
        assert WER(normalization="none")(["a b c d"], [references[:]]) == {"wer": 25.0}
    assert WER(normalization="none")(["a b"], [["a c", "d"]]) == {"wer": 50.0}
    # Fewest errors, not the lowest rate: 1 of 1 is taken, and 2 of 4 is not.
    assert WER(normalization="none")(["a"], [["b", "a b c"]]) == {"wer": 100.0}


def test_cer() -> None:
    assert CER(normalization="none")(["kitten"], [["sitting"]]) == {"cer": pytest.approx(300 / 7)}
    assert CER(normalization="basic")(["A-B. C"], [["a b  c!"]]) == {"cer": 0.0}


def test_per() -> None:
    # Of 4 phonemes one is wrong, and the marks on them count: a row of 2, one of 2.
    assert PER()(["t a\u02d0", "k"], [["t a"], ["k"]]) == {"per": pytest.approx(100 / 3)}


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Hello, World!", "hello world"),
        ("don\u2019t  STOP", "don't stop"),
        ("'quoted' \u2018twice\u2019", "quoted twice"),
        ("well-known \u2014 U.S.A.", "well known u s a"),
        ("\uff26\uff35\uff2c\uff2c \ufb01ne", "full fine"),
        ("Stra\u00dfe", "strasse"),
        ("a\u0301", "\u00e1"),
        ("$5 + 3_4", "$5 + 3 4"),
        ("'हिन्दी' हि'न्दी", "हिन्दी हि'न्दी"),
        ("\u00a1\u00bfQu\u00e9?! \u3002", "qu\u00e9"),
    ],
)
def test_basic_normalization(text: str, same: str) -> None:
    assert WER(normalization="basic")([text], [[same]]) == {"wer": 0.0}
    assert CER(normalization="basic")([same], [[text]]) == {"cer": 0.0}
    assert CER(normalization="basic")([same + "x"], [[text]])["cer"] > 0
    assert WER(normalization="none")([text], [[same]])["wer"] > 0


def test_unknown_normalization() -> None:
    with pytest.raises(InputError, match=r"metric.wer.normalization \(lower\) must be one of none"):
        WER(normalization="lower")


@pytest.mark.parametrize(
    "metric",
    [metric for metric, option in zip(ALL, OPTIONS, strict=True) if option not in BY_CORPUS],
    ids=[option for option in OPTIONS if option not in BY_CORPUS],
)
def test_counts_of_rows_add_up(metric: Metric) -> None:
    hypotheses, references = ["a b c d", "x y", "a b"], [["a b d", "a"], ["x z"], ["a b"]]
    counts = metric.counts(hypotheses, references)
    apart = [metric.counts([h], [r]) for h, r in zip(hypotheses, references, strict=True)]
    assert counts.shape[0] == 3
    np.testing.assert_array_equal(counts, np.concatenate(apart))
    twice = metric.scores(counts[[0, 0, 2]].sum(axis=0))
    assert twice == pytest.approx(
        metric(["a b c d", "a b c d", "a b"], [references[0], references[0], references[2]])
    )


@EACH
@pytest.mark.parametrize("most_kept", [0, 500_000])
def test_what_was_scored_before_changes_nothing(
    metric: Metric, most_kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against references seen before, others, and the same list with other texts in it."""
    monkeypatch.setattr("tandem.metrics._sacrebleu.MOST_KEPT", most_kept)
    option = OPTIONS[ALL.index(metric)]
    outputs = [["a b c d e f", "k l"], ["a b x d e", ""], ["k l m n", "a b c d e"]]
    first, second = [["a b c d e", "a c"], ["k l m n o"]], [["a b c d e"], ["k l m n"]]
    used = from_conf(option)
    for references in (first, first, second, first):
        for hypotheses in outputs:
            fresh = from_conf(option)
            np.testing.assert_array_equal(
                used.counts(hypotheses, references), fresh.counts(hypotheses, references)
            )
            assert used(hypotheses, references) == fresh(hypotheses, references)
            assert used.signature == fresh.signature
        references[0][0] += " l"


@EACH
def test_what_a_metric_states_is_what_comes_out(metric: Metric) -> None:
    """A right corpus scores better than a wrong one, in the direction that the metric states."""
    references = [["a b c d e"], ["f g h i j"], ["k l m n o", "a b k"]]
    right = metric([texts[0] for texts in references], references)
    wrong = metric(["x", "f y z", "w v u"], references)
    assert set(metric.directions) == set(right)
    for name, better in metric.directions.items():
        assert right[name] > wrong[name] if better == "max" else right[name] < wrong[name]


def test_a_metric_that_states_no_direction() -> None:
    class Own(ExactMatch):  # type: ignore[misc]
        directions: ClassVar = {}

    with pytest.raises(InputError) as caught:
        directions_of(Own(lowercase=False))
    assert str(caught.value) == (
        "The metric Own must state whether less or more of each of its scores is better; give its "
        'class directions = {"name of a score": "max"}.'
    )


@pytest.mark.parametrize("metric", [WER(normalization="none"), CER(normalization="none")])
def test_error_rates_of_empty_text(metric: Metric) -> None:
    assert set(metric([""], [[""]]).values()) == {0.0}
    assert set(metric([""], [["a b"]]).values()) == {100.0}
    assert set(metric(["a"], [[""]]).values()) == {100.0}
    assert set(metric(["", "a"], [["a"], ["a"]]).values()) == {50.0}


@EACH
def test_every_metric(metric: Metric) -> None:
    """Perfect output, different numbers of references, empty output, bad input."""
    perfect = metric(["a b c d e", "f g h i j"], [["x", "a b c d e"], ["f g h i j"]])
    for name, value in perfect.items():
        assert name in BY_CORPUS or value == pytest.approx(PERFECT[metric.directions[name]])
    for name, value in metric(["", ""], [["a b c d e"], ["f", "g"]]).items():
        assert value == pytest.approx(100 if name in ERROR_RATES else 0)
    name = type(metric).__name__
    with pytest.raises(InputError, match=f"{name} needs one list .* 2 hypotheses and 1 lists"):
        metric(["a", "b"], [["a"]])
    with pytest.raises(InputError, match=f"{name} needs at least one hypothesis, but got 0"):
        metric([], [])
    with pytest.raises(InputError, match="at least one reference a row, but row 1 has 0"):
        metric(["a", "b"], [["a"], []])


CHINESE = [["我爱你们, 2024!"], ["今天天气很好。"]]


@pytest.mark.parametrize(
    ("references", "hinted"),
    [
        (CHINESE, True),
        ([["ฉันรักภาษาไทย"], ["日本語のテキストです"]], True),
        ([["我 爱 你们 吗"], ["今天 天气 很 好 。"]], False),  # cut into words already
        ([["한국어 문장 입니다"], ["мама мыла раму"]], False),
        ([["Supercalifragilistic"], ["C'est-à-dire"]], False),
        ([["the word 我爱你们 means"], ["something"]], False),
        ([["123"], [""], ["!"]], False),
    ],
    ids=["Chinese", "Thai and Japanese", "cut", "spaced", "long words", "mixed", "no letters"],
)
def test_references_without_spaces(references: list[list[str]], hinted: bool) -> None:
    metrics = [metric for metric in ALL if metric.splits_at_spaces]
    sentences = warning_of_spaces(ALL, references)
    assert (sentences is not None) == hinted
    if sentences is not None:
        assert "words, which bleu, per, ter, wer would need" in sentences
    assert warning_of_spaces([one for one in ALL if one not in metrics], references) is None


@pytest.mark.parametrize("tokenize", ["13a", "zh", "char"])
def test_a_metric_that_splits_at_spaces_sees_no_half_of_a_text(tokenize: str) -> None:
    metric = BLEU(tokenize=tokenize, lowercase=False, smooth_method="exp")
    score = metric(["我爱你们大家"], [["我爱你们自己"]])["bleu"]
    assert (score == 0) == metric.splits_at_spaces


def test_signatures() -> None:
    assert "tok:13a|smooth:exp|version:" in bleu().signature
    scored = bleu()
    scored(["a", "b"], [["a"], ["a", "b"]])
    assert scored.signature.startswith("sacrebleu.bleu|nrefs:var|case:mixed")
    assert rouge(stemmer=True).signature.startswith(
        "rouge-score|f-measure|refs:best|tok:words|unspaced-scripts:characters|stemmer:yes|version:"
    )
    assert "|tok:rouge_score|stemmer:no|" in rouge(tokenize="rouge_score").signature
    assert WER(normalization="none").signature.startswith(
        "jiwer.wer|refs:fewest-errors|ties:longest-reference|normalization:none|spaces:merged|"
    )
    assert "|normalization:basic|" in CER(normalization="basic").signature
    assert PER().signature.startswith("jiwer.per|")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(metric.signature for metric in ALL)
