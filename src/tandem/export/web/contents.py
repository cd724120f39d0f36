"""What a page says of a model, and which models it refuses before work starts."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError
from tandem.data.features import PixelFeatures
from tandem.data.tokenizers.parts import CHARACTER, LEAD, WORD_OR_BLANKS
from tandem.data.tokenizers.tokenizer import (
    BYTES,
    CHARACTERS,
    PIECES,
    WORD_PIECES,
    WORDS,
    Tokenizer,
)
from tandem.export.base import network
from tandem.export.web.normalization import left_alone
from tandem.inference import Bundle
from tandem.models import Seq2Seq
from tandem.search.beam import BeamSearch
from tandem.search.greedy import GreedySearch
from tandem.search.rules import Banned, ForcedPrefix, MinLength, NoRepeatNgram, NoUnk, Rule

LARGEST = 200_000_000
"""Most bytes of a model's weights, and of its graphs."""
MOST_EXAMPLES = 12
BEAM = {"width": 5, "length_penalty": "average", "alpha": 1.0, "stop": "pool"}
"""The beam of a page whose model has none of its own, as in ``search=beam``."""
ELSEWHERE = "export it with format=onnx, or serve it with `tandem serve`."

FORMS = ("NFC", "NFKC", "NFD", "NFKD")
NORMALIZERS = (
    *({"type": name} for name in (*FORMS, "Lowercase")),
    {"type": "Prepend", "prepend": LEAD},
)
CUTS: dict[str, dict[str, Any]] = {
    WORDS: {"type": "WhitespaceSplit"},
    WORD_PIECES: {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": LEAD, "prepend_scheme": "always", "split": False},
        ],
    },
    **{
        spelling: {
            "type": "Split",
            "pattern": {"Regex": pattern},
            "behavior": "Isolated",
            "invert": False,
        }
        for spelling, pattern in ((PIECES, WORD_OR_BLANKS), (CHARACTERS, CHARACTER))
    },
    BYTES: {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": False,
    },
}
MODELS: dict[str, dict[str, Any]] = {
    "WordLevel": {},
    "WordPiece": {"continuing_subword_prefix": ""},
    "BPE": {
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "ignore_merges": False,
    },
    "Unigram": {},
}
"""What the page's tokenizer does: what Tandem's recipes make, as the library writes it down."""

PIXELS = ("image_height", "image_width", "channels", "background")
"""What the page has to know of the features of pictures."""

RULES: dict[type[Rule], Callable[[Any], dict[str, Any]]] = {
    NoUnk: lambda rule: {"kind": "no_unk"},
    Banned: lambda rule: {"kind": "banned", "sequences": rule.sequences},
    NoRepeatNgram: lambda rule: {"kind": "no_repeat_ngram", "size": rule.size},
    ForcedPrefix: lambda rule: {"kind": "forced_prefix", "prefix": rule.prefix},
    MinLength: lambda rule: {"kind": "min_length", "least": rule.least},
}
"""What the page has to know of each rule that it has."""


def check_web(bundle: Bundle) -> None:
    """Refuse what a page cannot do.

    :raises InputError: which names that.
    """
    if bundle.partners:
        raise InputError(
            f"A web page holds one model, but `run` names {len(bundle.models)}; give one folder."
        )
    _source(bundle)
    for part in (*bundle.decoding.scorers, *bundle.decoding.rules):
        if type(part) not in RULES:
            raise InputError(
                f"A web page searches without {type(part).__name__}, which this run's config has; "
                f"{ELSEWHERE}"
            )
    for tokenizer in (*bundle.processors.source.tokenizers, bundle.processors.target):
        _check_tokenizer(tokenizer)
    size = sum(parameter.nbytes for parameter in network(bundle).parameters())
    check_size(size, "the model's weights have")


def check_size(size: int, what: str) -> None:
    """Refuse what no browser should have to unpack.

    :param what: whose bytes they are.
    """
    if size > LARGEST:
        raise InputError(
            f"A web page may hold {LARGEST // 10**6} MB, but {what} {size / 10**6:,.0f} MB; train "
            "a smaller model or export it with format=onnx."
        )


def _check_tokenizer(tokenizer: Tokenizer) -> None:
    record = json.loads(tokenizer.to_json())
    inner = record["tokenizer"]
    model, cut = inner["model"], inner["pre_tokenizer"]
    parts = [(one["type"], one in NORMALIZERS) for one in inner["normalizer"]["normalizers"]]
    parts.append((cut["type"], cut == CUTS.get(record["spelling"])))
    parts.append((model["type"], MODELS[model["type"]].items() <= model.items()))
    for name, is_known in parts:
        if not is_known:
            raise InputError(
                f"A web page does not do the tokenizer's {name} with these options, so tokens "
                f"would differ; {ELSEWHERE}"
            )


def page_data(
    bundle: Bundle, *, description: Mapping[str, Any], examples: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """All of a page but the graphs, as plain data.

    :param bundle: one that :func:`check_web` lets pass.
    :param description: of the graphs: the key ``export`` of an exported model's config.
    :param examples: each with a ``source`` and a ``reference``.
    """
    rules = sorted(bundle.decoding.rules, key=lambda rule: rule.last)
    return {
        "facts": _facts(network(bundle), bundle.config),
        "source": _source(bundle),
        "target_tokenizer": json.loads(bundle.processors.target.to_json()),
        "max_length": bundle.max_length,
        "search": _search(bundle),
        "rules": [RULES[type(rule)](rule) for rule in rules],
        "export": {"scores": description["scores"], "state": description["state"]},
        "examples": list(examples),
    }


def _source(bundle: Bundle) -> dict[str, Any]:
    """How sources are read.

    :raises InputError: if a page cannot read them.
    """
    reader = bundle.processors.source
    features = reader.features
    if reader.tokenizers:
        (tokenizer,) = reader.tokenizers
        return {
            "kind": "text",
            "tokenizer": None if bundle.processors.shared else json.loads(tokenizer.to_json()),
            "left_alone": {form: left_alone(form) for form in _forms(tokenizer)},
            **{key: getattr(reader, key) for key in ("truncate", "before", "after")},
        }
    if isinstance(features, PixelFeatures):
        return {
            "kind": "image",
            "grid": network(bundle).grid(features.image_height),
            **{key: getattr(features, key) for key in PIXELS},
        }
    raise InputError(
        f"A web page reads texts and pictures, but this model's sources are of the kind "
        f"{reader.media}; {ELSEWHERE}"
    )


def _forms(tokenizer: Tokenizer) -> list[str]:
    """The Unicode normalisations of texts."""
    normalizers = json.loads(tokenizer.to_json())["tokenizer"]["normalizer"]["normalizers"]
    return [one["type"] for one in normalizers if one["type"] in FORMS]


def _search(bundle: Bundle) -> dict[str, Any]:
    """The model's own search, or a beam of 5 if that is neither greedy nor by beam."""
    search = bundle.decoding.search
    options = BEAM
    if isinstance(search, BeamSearch):
        options = {
            "width": search.width,
            "length_penalty": search.penalty.kind,
            "alpha": search.penalty.alpha,
            "stop": search.stop,
        }
    return {"kind": "greedy" if isinstance(search, GreedySearch) else "beam", **options}


def _facts(model: Seq2Seq, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the page says of the model."""
    parts = {key: config["model"][key] for key in ("encoder", "decoder")}
    parts["attention"] = parts["decoder"].get("attention", {})
    named = [(key, _name(part)) for key, part in parts.items() if "_target_" in part]
    return [*named, ("parameters", f"{model.num_parameters():,}")]


def _name(part: Mapping[str, Any]) -> str:
    name = part["_target_"].rpartition(".")[2]
    return f"{name} ({part['cell']})" if isinstance(part.get("cell"), str) else name


def examples_of(run: Path, media: str) -> list[dict[str, str]]:
    """Some examples of the test split of a run's folder, if it keeps any.

    :param media: text or image.
    :return: of each the ``source``, a text or a picture's file in Base64, and its ``reference``.
    """
    latest: dict[int, dict[str, str]] = {}
    try:
        with (run / "samples.jsonl").open(encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                if record["split"] == "test":
                    latest[record["index"]] = {
                        "source": str(record["source"]),
                        "reference": str(record["references"][0]),
                    }
        examples = list(latest.values())[:MOST_EXAMPLES]
        if media == "image":
            for place, example in enumerate(examples):
                picture = (run / "media" / f"test-{place}.jpg").read_bytes()
                example["source"] = base64.b64encode(picture).decode()
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return []  # they are there for convenience
    return examples
