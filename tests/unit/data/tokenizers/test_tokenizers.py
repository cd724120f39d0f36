"""Every recipe: round trips, special symbols, determinism, JSON."""

import hashlib
import inspect
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers import (
    BPETokenizer,
    ByteTokenizer,
    CharTokenizer,
    Tokenizer,
    UnigramTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from tandem.data.tokenizers.base import TokenizerRecipe
from tandem.data.tokenizers.tokenizer import BYTE_SYMBOLS

Make = Callable[..., TokenizerRecipe]


def make(kind: str, **changes: object) -> TokenizerRecipe:
    """Return a recipe with options that fit a small test."""
    options: dict[str, object] = {"shared": True, "lowercase": False, "normalization": "none"}
    if kind != "byte":
        options["vocabulary_size"] = 200
    if kind not in ("byte", "unigram"):
        options["min_frequency"] = 1
    if kind in ("bpe", "unigram"):
        options["byte_fallback"] = False
    if kind == "bpe":
        options["dropout"] = 0.0
    if kind == "unigram":
        options["sampling_alpha"] = None
    return RECIPES[kind](**{**options, **changes})


RECIPES: dict[str, Make] = {
    "word": WordTokenizer,
    "char": CharTokenizer,
    "byte": ByteTokenizer,
    "bpe": BPETokenizer,
    "wordpiece": WordPieceTokenizer,
    "unigram": UnigramTokenizer,
}
KINDS = tuple(RECIPES)
PIECES = ("bpe", "unigram")
EXACT = ("char", "byte", "bpe", "unigram")
"""Kinds that keep all whitespace."""
ODD = [
    "a man , a plan",
    "two young males.  They run !",
    "日本 語 😀 👩‍🚀 zwj",
    "▁x ##y Ġa a@@ b",
    "<eos> x<eos>y <pad> <unk> <bos> < eos > <pad>",
    "  tab\tand\u2028line  ",
    "a\x00b",
    "",
]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Name each tokenizer in turn."""
    return str(request.param)


def expected(kind: str, text: str) -> str:
    """Return what decoding must give: whitespace is exact or made single."""
    return text if kind in EXACT else " ".join(text.split())


def test_odd_text_comes_back(kind: str) -> None:
    tokenizer = make(kind).train(ODD * 3)
    decoded = [tokenizer.decode(ids) for ids in tokenizer.encode_batch(ODD)]
    assert decoded == [expected(kind, text) for text in ODD]


def test_no_text_becomes_a_special_id(kind: str) -> None:
    tokenizer = make(kind).train(["<eos> <pad> x<eos>", " <eos> ", "<eos>"] * 50)
    for ids in tokenizer.encode_batch(["<eos>", "x<eos>", " <eos> ", "<pad> <bos>", "< eos >"]):
        assert ids
        assert not {SPECIAL_IDS.pad, SPECIAL_IDS.bos, SPECIAL_IDS.eos} & set(ids)


def test_json_round_trip_behaves_the_same(kind: str) -> None:
    tokenizer = make(kind, lowercase=True, normalization="nfkc").train(ODD)
    text = tokenizer.to_json()
    copy = Tokenizer.from_json(text)
    texts = [*ODD, "Never SEEN ﬁ"]
    assert copy.to_json() == text
    assert copy.vocabulary_size == tokenizer.vocabulary_size
    assert copy.encode_batch(texts) == tokenizer.encode_batch(texts)
    for ids in copy.encode_batch(texts):
        assert copy.decode(ids) == tokenizer.decode(ids)
        assert copy.tokens(ids) == tokenizer.tokens(ids)


def test_training_is_the_same_in_another_process() -> None:
    words = [
        f"w{i * i % 97} {'ab' * (i % 5)}c{i % 13} stop é{chr(0x3B1 + i % 20)}" for i in range(300)
    ]
    code = (
        "import sys, json, hashlib, tandem.data.tokenizers as t\n"
        "recipes, words = json.load(sys.stdin)\n"
        "for name, options in recipes:\n"
        "    text = getattr(t, name)(**options).train(words).to_json()\n"
        "    print(hashlib.sha256(text.encode()).hexdigest())"
    )
    recipes = [make(kind) for kind in KINDS]
    here = [
        hashlib.sha256(recipe.train(words).to_json().encode()).hexdigest() for recipe in recipes
    ]
    there = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([[(type(recipe).__name__, vars(recipe)) for recipe in recipes], words]),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert there.stdout.split() == here
    assert there.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kind_is_all_but_the_vocabulary() -> None:
    kinds = {kind: make(kind).train(ODD).kind for kind in KINDS}
    assert len(set(kinds.values())) == len(KINDS)
    assert kinds["word"] == "words by WordLevel"
    assert kinds["wordpiece"] == "word pieces by WordPiece"
    for kind in KINDS:
        assert make(kind).train([""]).kind == kinds[kind]
    changed = make("bpe", lowercase=True, normalization="nfkc").train(ODD)
    assert changed.kind == "pieces by BPE after NFKC, Lowercase"


@pytest.mark.parametrize("inherited", [{}, {"TOKENIZERS_PARALLELISM": "true"}])
def test_forked_child_can_encode_in_silence(inherited: dict[str, str]) -> None:
    code = (
        "import os, sys; from tandem.data.tokenizers import CharTokenizer\n"
        "t = CharTokenizer(shared=True, lowercase=False, normalization='none', vocabulary_size=9,"
        " min_frequency=1).train(['a'])\n"
        "t.encode_batch(['a'] * 1000)\n"
        "child = os.fork()\n"
        "ids = t.encode_batch(['a'] * 1000)\n"
        "if child == 0: os._exit(0)\n"
        "sys.exit(os.waitpid(child, 0)[1])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={
            **{key: value for key, value in os.environ.items() if key != "TOKENIZERS_PARALLELISM"},
            "PYTHONPATH": os.pathsep.join(sys.path),
            **inherited,
        },
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_decode_stops_at_eos_and_drops_padding(kind: str) -> None:
    tokenizer = make(kind).train(["a b c"])
    [ids] = tokenizer.encode_batch(["a b"])
    padded = [SPECIAL_IDS.bos, SPECIAL_IDS.pad, *ids, SPECIAL_IDS.eos, *ids, SPECIAL_IDS.pad]
    assert tokenizer.decode(padded) == "a b"
    assert tokenizer.decode([SPECIAL_IDS.eos]) == ""


def test_special_ids_show_by_name(kind: str) -> None:
    tokenizer = make(kind).train(["a b c"])
    assert tokenizer.tokens([0, 1, 2, 3]) == ["<pad>", "<bos>", "<eos>", "<unk>"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("word", "a <unk>"),
        ("char", "a <unk>a"),
        ("bpe", "a <unk>a"),
        ("wordpiece", "a <unk>"),
        ("unigram", "a <unk>a"),
    ],
)
def test_unknown_symbols_show(kind: str, text: str) -> None:
    tokenizer = make(kind).train(["a b c a b"])
    assert tokenizer.decode(tokenizer.encode_batch(["a 語a"])[0]) == text


def test_lowercase_and_normalization(kind: str) -> None:
    texts = ["ﬁn ÉTÉ É fin été"]
    plain = make(kind, lowercase=True, normalization="nfkc").train(texts)
    [ids] = plain.encode_batch(["ﬁn E\u0301TÉ"])
    assert plain.decode(ids) == "fin été"


def test_empty_training_text_leaves_the_special_symbols(kind: str) -> None:
    assert make(kind).train([""]).vocabulary_size == (260 if kind == "byte" else 4)


def test_words_by_hand() -> None:
    tokenizer = make("word").train(["b b b a a c"])
    assert tokenizer.vocabulary_size == 7
    assert tokenizer.encode_batch(["a  b d", "c"]) == [[5, 4, 3], [6]]
    assert tokenizer.tokens([5, 4, 3]) == ["a", "b", "<unk>"]


def test_words_seen_rarely_are_unknown() -> None:
    tokenizer = make("word", min_frequency=2).train(["b b b a a c"])
    assert tokenizer.vocabulary_size == 6
    assert make("word", vocabulary_size=5).train(["b b b a a c"]).vocabulary_size == 5


def test_characters_by_hand() -> None:
    tokenizer = make("char").train(["aab "])
    assert tokenizer.encode_batch(["a b"]) == [[4, 5, 6]]
    assert tokenizer.tokens([4, 5, 6]) == ["a", "▁", "b"]


def test_bytes_by_hand() -> None:
    tokenizer = make("byte").train([])
    assert tokenizer.vocabulary_size == 260
    assert tokenizer.encode_batch(["A é"]) == [[0x41 + 4, 0x20 + 4, 0xC3 + 4, 0xA9 + 4]]
    assert tokenizer.tokens([0x41 + 4, 0x20 + 4, 0xC3 + 4]) == ["A", "▁", "C3"]
    assert tokenizer.decode([0x41 + 4, 3, 0xC3 + 4]) == "A<unk>\N{REPLACEMENT CHARACTER}"
    assert tokenizer.decode([byte + 4 for byte in range(128)]) == "".join(map(chr, range(128)))


def test_bpe_merges_by_hand() -> None:
    # 4 special symbols, then space a b c, then the pair "a"+"b" (4 times), then " "+"ab" (3 times).
    tokenizer = make("bpe", vocabulary_size=10).train(["ab ab ab cab"])
    assert tokenizer.encode_batch(["ab cab"]) == [[9, 4, 7, 8]]
    assert tokenizer.tokens([9, 4, 7, 8]) == ["▁ab", "▁", "c", "ab"]


@pytest.mark.parametrize("kind", PIECES)
def test_bytes_get_the_last_ids_and_change_no_others(kind: str) -> None:
    texts = ["ab ab ab cab\n  cab"]
    plain = make(kind, vocabulary_size=16).train(texts)
    tokenizer = make(kind, vocabulary_size=16 + 256, byte_fallback=True).train(texts)
    size = plain.vocabulary_size
    assert tokenizer.symbols == (*plain.symbols, *BYTE_SYMBOLS)
    assert tokenizer.encode_batch(texts) == plain.encode_batch(texts)
    [ids] = tokenizer.encode_batch(["aé"])
    assert ids[-2:] == [size + 0xC3, size + 0xA9]
    assert tokenizer.tokens(ids[-2:]) == ["<0xC3>", "<0xA9>"]
    assert tokenizer.unknown("aé <0xC3>") == ["é", *plain.unknown("<0xC3>")]
    assert tokenizer.decode([size + 0xC3, *plain.encode_batch(["a"])[0]]) == "\ufffd a"


@pytest.mark.parametrize("kind", PIECES)
def test_a_text_that_reads_like_a_byte_is_none(kind: str) -> None:
    texts = ["a<0xE2> <0xE2>"] * 20
    tokenizer = make(kind, vocabulary_size=400, byte_fallback=True).train(texts)
    first = tokenizer.vocabulary_size - 256
    for text in (texts[0], "<0xE2>", "b<0xE2>"):
        [ids] = tokenizer.encode_batch([text])
        assert tokenizer.decode(ids) == text
        assert all(id_ < first for id_ in ids if tokenizer.tokens([id_]) != ["<0x62>"])


@pytest.mark.parametrize("kind", PIECES)
def test_programs_come_back(kind: str) -> None:
    functions = [one for _, one in inspect.getmembers(textwrap) if inspect.isclass(one)]
    functions += [one for _, one in inspect.getmembers(inspect, inspect.isfunction)][:19]
    programs = [inspect.getsource(one) for one in functions]
    assert len(programs) == 20
    assert sum("\n    " in program for program in programs) == 20
    tokenizer = make(kind, vocabulary_size=2000).train(programs)
    assert [tokenizer.decode(ids) for ids in tokenizer.encode_batch(programs)] == programs
    [ids] = tokenizer.encode_batch(["return x\n        return y"])
    assert "↵▁▁▁▁▁▁▁" in tokenizer.tokens(ids)


NORMAL = {
    "word": "ﬁne té",
    "wordpiece": "ﬁne té",
    "char": " ﬁne\t té\n",
    "byte": " ﬁne\t té\n",
    "bpe": " ﬁne\t té\n",
    "unigram": " ﬁne\t té\n",
}


def test_what_a_tokenizer_makes_of_a_text(kind: str) -> None:
    text = " ﬁne\t TE\N{COMBINING ACUTE ACCENT}\n"
    tokenizer = make(kind, lowercase=True, normalization="nfc").train([text])
    assert tokenizer.normalize(text) == NORMAL[kind]
    assert tokenizer.decode(tokenizer.encode_batch([text])[0]) == NORMAL[kind]
    assert not tokenizer.lossless


def test_wordpiece_takes_the_longest_piece() -> None:
    tokenizer = make("wordpiece").train(["abc abc ab"])
    assert tokenizer.tokens(tokenizer.encode_batch(["abc ab abb"])[0]) == [
        "▁abc",
        "▁ab",
        "▁ab",
        "b",
    ]


def test_unigram_keeps_whole_words() -> None:
    texts = ["people walk", "people run", "dogs walk", "dogs run"] * 20
    tokenizer = make("unigram").train(texts)
    assert tokenizer.tokens(tokenizer.encode_batch(["people run"])[0]) == ["▁people", "▁run"]


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_vocabulary_smaller_than_the_alphabet(kind: str) -> None:
    with pytest.raises(InputError) as caught:
        make(kind, vocabulary_size=8).train(["abc def gh"])
    assert str(caught.value) == (
        "The tokenizer's `vocabulary_size` (8) must be at least 13, as the training texts have 9 "
        "different characters besides 4 special symbols; raise it or choose tokenizer=byte."
    )


@pytest.mark.parametrize("kind", PIECES)
def test_vocabulary_of_the_alphabet_alone(kind: str) -> None:
    assert make(kind, vocabulary_size=13).train(["abc def gh"]).vocabulary_size == 13


@pytest.mark.parametrize("kind", PIECES)
def test_vocabulary_smaller_than_alphabet_and_bytes(kind: str) -> None:
    with pytest.raises(InputError) as caught:
        make(kind, vocabulary_size=268, byte_fallback=True).train(["abc def gh"])
    assert str(caught.value) == (
        "The tokenizer's `vocabulary_size` (268) must be at least 269, as the training texts have "
        "9 different characters besides 4 special symbols and 256 bytes; raise it, set "
        "tokenizer.byte_fallback=false or choose tokenizer=byte."
    )
    with pytest.raises(InputError) as caught:
        make(kind, vocabulary_size=260, byte_fallback=True)
    assert str(caught.value) == (
        "The tokenizer's `vocabulary_size` (260) must be greater than 260, the number of special "
        "symbols and bytes; raise it or set tokenizer.byte_fallback=false."
    )


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "byte"])
def test_vocabulary_of_special_symbols_only(kind: str) -> None:
    with pytest.raises(InputError) as caught:
        make(kind, vocabulary_size=4)
    assert str(caught.value) == (
        "The tokenizer's `vocabulary_size` (4) must be greater than 4, the number of special "
        "symbols."
    )


def test_unknown_normalization(kind: str) -> None:
    with pytest.raises(InputError) as caught:
        make(kind, normalization="NFX")
    assert str(caught.value) == (
        "The tokenizer's `normalization` (NFX) must be one of none, nfc, nfkc, nfd, nfkd."
    )


@pytest.mark.parametrize("kind", ["word", "char", "bpe", "wordpiece"])
def test_minimum_frequency_of_zero(kind: str) -> None:
    with pytest.raises(InputError) as caught:
        make(kind, min_frequency=0)
    assert str(caught.value) == "The tokenizer's `min_frequency` (0) must be at least 1."


UNKNOWN = {
    "word": ["Žába", "€"],
    "wordpiece": ["Žába", "€"],
    "char": ["Ž", "á", "b", "€"],
    "bpe": ["Ž", "á", "b", "€"],
    "unigram": ["Žáb", "€"],
    "byte": [],
}


def test_unknown_parts_of_a_text(kind: str) -> None:
    """Each as it stands in the text, once; together they are what becomes ``<unk>``."""
    tokenizer = make(kind).train(["the dog sees the cat", "the cat sees the dog"] * 5)
    text = "the Žába  sees € the dog Žába"
    assert tokenizer.unknown(text) == UNKNOWN[kind]
    symbols = tokenizer.tokens(tokenizer.encode_batch([text])[0])
    assert ("<unk>" in symbols) == bool(UNKNOWN[kind])
    assert tokenizer.unknown("the dog") == []


def damaged(**changes: object) -> str:
    """Return a tokenizer's JSON with some of its keys changed."""
    record = json.loads(make("word").train(["a"]).to_json())
    return json.dumps({**record, **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The tokenizer is not JSON (Expecting property name"),
        ("[]", 'The tokenizer JSON must have "format": "tandem-tokenizer"; this is another kind'),
        (damaged(version=2), "The tokenizer JSON's version is 2, but this Tandem reads version 1"),
        (damaged(spelling="os.system"), "The tokenizer JSON must have the key `tokenizer` and a"),
        (damaged(tokenizer={"model": 1}), "The tokenizer has another `model` than WordLevel"),
    ],
)
def test_damaged_json(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Tokenizer.from_json(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("normalizer", "prepend", "  "),
        ("normalizer", "prepend", "x"),
        ("pre_tokenizer", "pattern", {"Regex": r"(\S+)+x"}),
        ("pre_tokenizer", "pattern", {"String": " "}),
        ("model", "byte_fallback", True),
    ],
)
def test_json_with_other_parts(part: str, key: str, value: object) -> None:
    record = json.loads(make("bpe").train(["a"]).to_json())
    inner = record["tokenizer"][part]
    (inner["normalizers"][0] if part == "normalizer" else inner)[key] = value
    with pytest.raises(InputError, match=f"^The tokenizer has another `{part}` than"):
        Tokenizer.from_json(json.dumps(record))


def test_json_with_other_special_symbols() -> None:
    record = json.loads(damaged())
    record["tokenizer"]["model"]["vocab"] = {"a": 0, "b": 1}
    with pytest.raises(InputError, match="ids 0 to 3 must be <pad>, <bos>, <eos>, <unk>"):
        Tokenizer.from_json(json.dumps(record))
