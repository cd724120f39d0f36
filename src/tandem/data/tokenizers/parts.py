"""What a tokenizer may consist of: parts whose work is in proportion to the text, and no others.

The library knows more, some of which a bundle of somebody else's could turn against its reader: a
replacement that doubles a text each time, a pattern that never ends, room for a cache that no
machine has.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from tandem.core.errors import InputError

Allows = Callable[[Any], bool]

MOST_SYMBOLS = 1_000_000
MOST_PARTS = 8
"""Of a sequence of normalizers or of pre-tokenizers."""
CHARACTER = r"[\s\S]"
"""Matches each character."""
WORD_OR_BLANKS = r" ?\S++|\s+(?= \S)|\s++"
"""Matches each word with a space in front of it, if there is one, and each run of other blanks."""
BLANKS = " {2,}"
"""Matches several spaces, which one may stand for."""
LONGEST_CHARACTER_MAP = 2**21
"""Of what SentencePiece replaces characters by; T5's has some 240,000 characters."""
LEAD = " "
"""The only text that a normalizer may put in front of others."""


def _one_of(*values: Any) -> Allows:
    return lambda value: any(type(value) is type(one) and value == one for one in values)


def _text(longest: int) -> Allows:
    return lambda value: isinstance(value, str) and len(value) <= longest


def _or_null(allows: Allows) -> Allows:
    return lambda value: value is None or allows(value)


_BOOL = _one_of(True, False)
_MARK = _or_null(_text(16))
_BEHAVIOR = _one_of("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")

NORMALIZERS: dict[str, dict[str, Allows]] = {
    "NFC": {},
    "NFKC": {},
    "NFD": {},
    "NFKD": {},
    "Lowercase": {},
    "Strip": {"strip_left": _BOOL, "strip_right": _BOOL},
    "StripAccents": {},
    "Nmt": {},
    "Prepend": {"prepend": _one_of(LEAD)},
    "BertNormalizer": {
        "clean_text": _BOOL,
        "handle_chinese_chars": _BOOL,
        "strip_accents": _or_null(_BOOL),
        "lowercase": _BOOL,
    },
    "Precompiled": {"precompiled_charsmap": _text(LONGEST_CHARACTER_MAP)},
    "Replace": {"pattern": _one_of({"Regex": BLANKS}), "content": _one_of(" ", "▁")},
}
DECODERS: dict[str, dict[str, Allows]] = {
    "WordPiece": {"prefix": _text(16), "cleanup": _BOOL},
    "ByteLevel": {"add_prefix_space": _BOOL, "trim_offsets": _BOOL, "use_regex": _BOOL},
    "Metaspace": {
        "replacement": lambda value: isinstance(value, str) and len(value) == 1,
        "prepend_scheme": _one_of("always", "never", "first"),
        "split": _BOOL,
    },
}
"""What joins the pieces of a tokenizer that others have trained."""
PRE_TOKENIZERS: dict[str, dict[str, Allows]] = {
    "WhitespaceSplit": {},
    "Whitespace": {},
    "BertPreTokenizer": {},
    "UnicodeScripts": {},
    "Punctuation": {"behavior": _BEHAVIOR},
    "Digits": {"individual_digits": _BOOL},
    "CharDelimiterSplit": {"delimiter": lambda value: isinstance(value, str) and len(value) == 1},
    "ByteLevel": {"add_prefix_space": _BOOL, "trim_offsets": _BOOL, "use_regex": _BOOL},
    "Metaspace": {
        "replacement": lambda value: isinstance(value, str) and len(value) == 1,
        "prepend_scheme": _one_of("always", "never", "first"),
        "split": _BOOL,
    },
    "Split": {
        "pattern": _one_of({"Regex": CHARACTER}, {"Regex": WORD_OR_BLANKS}),
        "behavior": _BEHAVIOR,
        "invert": _BOOL,
    },
}


def _ids(vocabulary: Any) -> bool:
    """Whether it has an id for each symbol, without a gap."""
    return (
        isinstance(vocabulary, dict)
        and len(vocabulary) <= MOST_SYMBOLS
        and all(type(id_) is int for id_ in vocabulary.values())
        and sorted(vocabulary.values()) == list(range(len(vocabulary)))
    )


def _scores(vocabulary: Any) -> bool:
    """Whether it has a log-probability for each symbol."""
    return (
        isinstance(vocabulary, list)
        and len(vocabulary) <= MOST_SYMBOLS
        and all(
            isinstance(entry, list)
            and len(entry) == 2
            and isinstance(entry[0], str)
            and type(entry[1]) in (int, float)
            and math.isfinite(entry[1])
            for entry in vocabulary
        )
    )


def _merges(merges: Any) -> bool:
    return (
        isinstance(merges, list)
        and len(merges) <= MOST_SYMBOLS
        and all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
            for pair in merges
        )
    )


def _models(unknown: str, unknown_id: int) -> dict[str, dict[str, Allows]]:
    """What models may have, given what an unknown symbol is called."""
    return {
        "WordLevel": {"vocab": _ids, "unk_token": _one_of(unknown)},
        "WordPiece": {
            "vocab": _ids,
            "unk_token": _one_of(unknown),
            "continuing_subword_prefix": _text(16),
            "max_input_chars_per_word": lambda value: type(value) is int and 1 <= value <= 10_000,
        },
        "BPE": {
            "vocab": _ids,
            "merges": _merges,
            "unk_token": _one_of(unknown, None),
            "dropout": _one_of(None),
            "continuing_subword_prefix": _MARK,
            "end_of_word_suffix": _MARK,
            "fuse_unk": _BOOL,
            "byte_fallback": _one_of(False),
            "ignore_merges": _BOOL,
        },
        "Unigram": {
            "vocab": _scores,
            "unk_id": _one_of(unknown_id),
            "byte_fallback": _one_of(False),
        },
    }


def check_parts(record: Any, *, unknown: str, unknown_id: int) -> None:
    """Refuse a tokenizer, as the library writes it down, with other parts.

    :param unknown: what stands in its vocabulary for unknown symbols.
    :param unknown_id: the id of that.
    :raises InputError: which names the part.
    """
    checks: dict[str, Allows] = {
        "version": _one_of("1.0"),
        "truncation": _one_of(None),
        "padding": _one_of(None),
        "added_tokens": _one_of([]),
        "normalizer": lambda part: _is_sequence(part, "normalizers", NORMALIZERS),
        "pre_tokenizer": lambda part: (
            _is_part(part, PRE_TOKENIZERS) or _is_sequence(part, "pretokenizers", PRE_TOKENIZERS)
        ),
        "post_processor": _one_of(None),
        "decoder": lambda part: part is None or _is_part(part, DECODERS),
        "model": lambda part: _is_part(part, _models(unknown, unknown_id)),
    }
    if not isinstance(record, dict):
        raise _refusal("is no tokenizer of the library")
    for key in [*record, *checks]:
        if key not in checks:
            raise _refusal(f"has {key[:40]!r}")
        if key not in record:
            raise _refusal(f"has no `{key}`")
        if not checks[key](record[key]):
            raise _refusal(f"has another `{key}` than {_known(key)}")


def _is_part(part: Any, known: Mapping[str, Mapping[str, Allows]]) -> bool:
    """Whether it is one of the known parts, with just its options."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    options = known.get(part["type"])
    return (
        options is not None
        and part.keys() == {"type", *options}
        and all(allows(part[key]) for key, allows in options.items())
    )


def _is_sequence(part: Any, key: str, known: Mapping[str, Mapping[str, Allows]]) -> bool:
    """Whether it is a sequence of known parts."""
    return (
        isinstance(part, dict)
        and part.keys() == {"type", key}
        and part["type"] == "Sequence"
        and isinstance(part[key], list)
        and len(part[key]) <= MOST_PARTS
        and all(_is_part(one, known) for one in part[key])
    )


def _known(key: str) -> str:
    if key == "normalizer":
        return f"a sequence of {', '.join(NORMALIZERS)}, the last only for a space"
    if key == "pre_tokenizer":
        return f"{', '.join(PRE_TOKENIZERS)}, the last only by Tandem's patterns"
    if key == "model":
        return f"{', '.join(_models('', 0))}, with ids from 0 and at most {MOST_SYMBOLS:,} symbols"
    if key == "decoder":
        return f"none, {', '.join(DECODERS)}"
    return "Tandem's tokenizers"


def _refusal(what: str) -> InputError:
    return InputError(
        f"The tokenizer {what}, so it is not used; if it comes with a bundle, take that from its "
        "run again."
    )
