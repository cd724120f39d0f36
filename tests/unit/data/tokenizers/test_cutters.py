"""Random cuts of words: their distributions, and at the end of the range the usual cut."""

import json
import math
import re
from collections import Counter
from random import Random

import pytest

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers import BPETokenizer, UnigramTokenizer
from tandem.data.tokenizers.cutters import BPEDropout, UnigramSampling
from tandem.data.tokenizers.tokenizer import Tokenizer

TEXTS = ["low lower lowest", "new newer newest low", "slow slower slowest low"] * 5
DRAWS = 4000


def bpe(dropout: float = 0.0, *, size: int = 40, byte_fallback: bool = False) -> BPETokenizer:
    return BPETokenizer(
        shared=True,
        lowercase=False,
        normalization="none",
        vocabulary_size=size,
        byte_fallback=byte_fallback,
        min_frequency=1,
        dropout=dropout,
    )


def unigram(
    alpha: float | None = None, *, size: int = 40, byte_fallback: bool = False
) -> UnigramTokenizer:
    return UnigramTokenizer(
        shared=True,
        lowercase=False,
        normalization="none",
        vocabulary_size=size,
        byte_fallback=byte_fallback,
        sampling_alpha=alpha,
    )


def frequencies(cutter: BPEDropout | UnigramSampling, word: str) -> dict[tuple[int, ...], float]:
    random = Random(0)
    counts = Counter(tuple(cutter(word, random)) for _ in range(DRAWS))
    return {cut: count / DRAWS for cut, count in counts.items()}


def joined(cutter: BPEDropout | UnigramSampling, tokenizer: Tokenizer, text: str) -> list[int]:
    return [id_ for word in tokenizer.words(text) for id_ in cutter(word, Random(0))]


def test_no_dropout_is_the_tokenizers_own_cut() -> None:
    tokenizer = bpe().train(TEXTS)
    cutter = BPEDropout(tokenizer, dropout=0.0)
    for text in (*TEXTS[:3], "wol  new\tzest ", "zz"):
        assert [joined(cutter, tokenizer, text)] == tokenizer.encode_batch([text])


def test_full_dropout_leaves_characters() -> None:
    tokenizer = bpe().train(TEXTS)
    pieces = BPEDropout(tokenizer, dropout=1.0)(" lower", Random(0))
    assert tokenizer.tokens(pieces) == ["▁", "l", "o", "w", "e", "r"]
    assert tokenizer.decode(pieces) == "lower"


def test_dropout_by_hand() -> None:
    """Of `` ab`` with the merges `` a``, then `` ab``, and no other."""
    tokenizer = bpe(size=4 + 3 + 2).train(["ab"])
    p = 0.3
    found = frequencies(BPEDropout(tokenizer, dropout=p), " ab")
    cuts = {tuple(tokenizer.tokens(list(cut))): share for cut, share in found.items()}
    whole = ("▁ab",)
    assert cuts[whole] == pytest.approx((1 - p) ** 2, abs=0.03)
    assert cuts["▁", "a", "b"] == pytest.approx(p, abs=0.03)
    assert sum(cuts.values()) == pytest.approx(1)
    assert len(cuts) == 3


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_unigram_cuts_come_in_proportion_to_their_probability(alpha: float) -> None:
    record = json.loads(unigram().train(TEXTS).to_json())
    more = [[" l", -3.0], ["lo", -2.0], ["ow", -2.5], ["est", -3.5], ["we", -3.0]]
    record["tokenizer"]["model"]["vocab"] += more
    tokenizer = Tokenizer.from_json(json.dumps(record))
    vocabulary = dict(record["tokenizer"]["model"]["vocab"])

    def cuts(word: str) -> list[tuple[str, ...]]:
        if not word:
            return [()]
        heads = [word[:end] for end in range(1, len(word) + 1) if word[:end] in vocabulary]
        return [(head, *rest) for head in heads for rest in cuts(word[len(head) :])]

    weights = {
        cut: math.exp(alpha * sum(vocabulary[piece] for piece in cut)) for cut in cuts(" lowest")
    }
    assert len(weights) > 5
    expected = {cut: weight / sum(weights.values()) for cut, weight in weights.items()}
    found = {
        tuple(name.replace("▁", " ") for name in tokenizer.tokens(list(cut))): share
        for cut, share in frequencies(UnigramSampling(tokenizer, alpha=alpha), " lowest").items()
    }
    assert found.keys() <= expected.keys()
    for cut, share in expected.items():
        assert found.get(cut, 0.0) == pytest.approx(share, abs=0.03)


def test_a_large_alpha_is_the_tokenizers_own_cut() -> None:
    tokenizer = unigram().train(TEXTS)
    cutter = UnigramSampling(tokenizer, alpha=1000.0)
    for text in (*TEXTS[:3], "wol zz new", "zest"):
        assert [joined(cutter, tokenizer, text)] == tokenizer.encode_batch([text])
    assert SPECIAL_IDS.unk in joined(cutter, tokenizer, "zest")


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_unknown_characters_are_bytes_in_each_cut(kind: str) -> None:
    make = bpe if kind == "bpe" else unigram
    recipe = make(0.5, size=300, byte_fallback=True)
    tokenizer = recipe.train(TEXTS)
    cutter = recipe.cutter(tokenizer)
    assert cutter is not None
    ids = [cutter(word, Random(0)) for word in tokenizer.words("lowß newest")]
    assert tokenizer.tokens(ids[0])[-2:] == ["<0xC3>", "<0x9F>"]
    assert tokenizer.decode([*ids[0], *ids[1]]) == "lowß newest"


def test_off_is_no_cutter_and_learns_the_same() -> None:
    for off, on in ((bpe(), bpe(0.1)), (unigram(), unigram(0.0))):
        tokenizer = off.train(TEXTS)
        assert off.cutter(tokenizer) is None
        assert on.cutter(tokenizer) is not None
        assert repr(on) == repr(off)
        assert on.train(TEXTS).to_json() == tokenizer.to_json()


def test_bad_options() -> None:
    message = "The tokenizer's `dropout` (1.0) must be at least 0 and below 1."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bpe(1.0)
    message = "The tokenizer's `sampling_alpha` (-1.0) must be at least 0, or null for no sampling."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        unigram(-1.0)
