"""Tokenizers of hostile bundles, whose library would do as they say."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile import POISON, Damage, Variant, change, put, read, write

TOKENIZER = "target_tokenizer.json"
Record = dict[str, Any]


def _normalizers(*parts: Record) -> Record:
    return {"normalizer": {"type": "Sequence", "normalizers": list(parts)}}


def _replacing(pattern: Record, content: str) -> Record:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _split(**pattern: str) -> Record:
    split = {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
    return {"pre_tokenizer": split}


def _added(content: str, id_: int, stripped: bool) -> Record:
    flags = {"single_word": False, "lstrip": stripped, "rstrip": stripped, "normalized": stripped}
    return {"added_tokens": [{"id": id_, "content": content, "special": not stripped, **flags}]}


PADDING = {
    "strategy": {"Fixed": 5 * 10**8},
    "direction": "Right",
    "pad_to_multiple_of": None,
    "pad_id": 0,
    "pad_type_id": 0,
    "pad_token": "x",
}
TRUNCATION = {"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 5}
TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "x", "type_id": 0}}] * 1000,
    "pair": [],
    "special_tokens": {},
}
PARTS: dict[str, Record] = {
    "a normalizer that grows to GBs": _normalizers(*[_replacing({"String": "a"}, "a" * 50)] * 6),
    "a normalizer that inserts": _normalizers(*[_replacing({"Regex": ""}, "ab")] * 40),
    "a normalizer that prepends": _normalizers(*[{"type": "Prepend", "prepend": "x" * 10**6}] * 50),
    "a normalizer with a table": _normalizers(
        {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
    ),
    "1,000 normalizers": _normalizers(*[{"type": "NFKD"}] * 1000),
    "a pattern that never ends": _split(Regex="(a|a?)+$(x+x+)+y"),
    "a pattern that is none": _split(Regex="("),
    "an empty pattern": _split(String=""),
    "no pre-tokenizer": {"pre_tokenizer": None},
    "padding to 5e8": {"padding": PADDING},
    "truncation to nothing": {"truncation": TRUNCATION},
    "an added token": _added("a", 2, stripped=False),
    "an added token that is empty": _added("", 99, stripped=True),
    "a post-processor": {"post_processor": TEMPLATE},
    "a decoder": {"decoder": _replacing({"String": "a"}, "a" * 10**6)},
    "another version": {"version": "9.9"},
    "no model": {"model": None},
    "a model of another kind": {"model": {"type": "BPE", "vocab": {}, "merges": []}},
}
"""What takes the place of parts."""


def _symbols(change_all: Callable[[dict[str, int]], Record]) -> Callable[[Record], None]:
    """Another vocabulary."""
    return lambda model: model.update(vocab=change_all(model["vocab"]))


def _more(until: int) -> Callable[[Record], None]:
    return _symbols(lambda ids: ids | {f"t{id_}": id_ for id_ in range(len(ids), until)})


def _spelled(change_one: Callable[[str, int], str]) -> Callable[[Record], None]:
    """Other symbols for all ids but the special ones."""
    return _symbols(
        lambda ids: {(change_one(key, id_) if id_ > 3 else key): id_ for key, id_ in ids.items()}
    )


def _appended(entry: list[Any]) -> Callable[[Record], None]:
    return lambda model: model["vocab"].append(entry)


def _set(**values: Any) -> Callable[[Record], None]:
    return lambda model: model.update(values)


def _many_merges(model: Record) -> None:
    model["merges"] *= 10**5


MODELS: dict[str, dict[str, Callable[[Record], None]]] = {
    "words": {
        "no symbols": _set(vocab={}),
        "ids with a gap": _symbols(lambda ids: ids | {"z": 10**6}),
        "a negative id": _symbols(lambda ids: ids | {"z": -1}),
        "an id of 2**40": _symbols(lambda ids: ids | {"z": 2**40}),
        "an id twice": _symbols(lambda ids: ids | {"z": 4}),
        "an id that is text": _symbols(lambda ids: ids | {"z": "4"}),
        "one symbol more": _symbols(lambda ids: ids | {"z": len(ids)}),
        "a lone surrogate": _symbols(lambda ids: ids | {"\ud800": len(ids)}),
        "no unknown symbol": _set(unk_token="zzz"),
        "3 million symbols": _more(3 * 10**6),
        "900,000 symbols of MB": _more(900_000),
        "a symbol of 40 MB": _spelled(lambda key, id_: "b" * 40_000_000 if id_ == 4 else key),
        "symbols with escapes": _spelled(lambda key, id_: f"\x1b[{id_}m\x07"),
    },
    "pieces": {
        "a cache of 10**18": _set(cache_capacity=10**18),
        "dropout": _set(dropout=1.0),
        "merges of nothing": _set(merges=[["zz", "yy"]]),
        "merges of one": _set(merges=[["a"]]),
        "millions of merges": _many_merges,
        "byte fallback": _set(byte_fallback=True),
        "a prefix of 1 MB": _set(continuing_subword_prefix="x" * 10**6),
        "no unknown symbol": _set(unk_token=None),
    },
    "bytes": {"400 bytes": _more(400)},
    "unigram": {
        "an unknown id that is none": _set(unk_id=10**6),
        "no unknown id": _set(unk_id=None),
        "a score that is no number": _appended(["x", "y"]),
        "an empty symbol": _appended(["", -1.0]),
        "an enormous score": _appended(["x", 1e308]),
    },
}
"""What is done to the model of each sound bundle's tokenizer."""
PLACES: tuple[tuple[str, ...], ...] = (
    *((key,) for key in ("format", "version", "spelling", "tokenizer")),
    *(
        ("tokenizer", key)
        for key in ("normalizer", "pre_tokenizer", "model", "added_tokens", "truncation")
    ),
    *(("tokenizer", "model", key) for key in ("type", "vocab")),
)
RAW = {
    "empty": b"",
    "no JSON": b"x",
    "a deep list": b"[" * 10**6,
    "no UTF-8": b"\xff\xfe",
    "60 MB of spaces": b" " * 60_000_000,
}


def _altered(alter: Callable[[Record], Any]) -> Damage:
    def damage(folder: Path) -> None:
        content = read(folder, TOKENIZER)
        alter(content["tokenizer"])
        write(folder, content, TOKENIZER)

    return damage


def _parts(values: Record) -> Damage:
    return _altered(lambda tokenizer: tokenizer.update(values))


def _model(alter: Callable[[Record], Any]) -> Damage:
    return _altered(lambda tokenizer: alter(tokenizer["model"]))


def _raw(content: bytes) -> Damage:
    return change(lambda raw: content, TOKENIZER)


def variants() -> Iterator[Variant]:
    """Tokenizers, one by one."""
    for name, values in PARTS.items():
        yield Variant("tokenizers", name, "words", _parts(values))
    for sound, models in MODELS.items():
        for name, alter in models.items():
            yield Variant("tokenizers", f"{sound}: {name}", sound, _model(alter))
    for sound in ("words", "pieces", "unigram"):
        for path in PLACES:
            for poison, value in POISON.items():
                name = f"{sound}: {'.'.join(path)}: {poison}"
                yield Variant("tokenizers", name, sound, put(path, value, TOKENIZER))
    for name, content in RAW.items():
        yield Variant("tokenizers", name, "words", _raw(content))
