"""The page's tokenizer gives the ids and texts of Python's."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from omegaconf import DictConfig

from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.export.web.normalization import left_alone

TOKENIZERS = sorted(path.stem for path in (config_folder() / "tokenizer").glob("*.yaml"))
TRAINING = ["the quick brown fox  jumps over the lazy dog", "the end\tof the lane", "été ﬁn ½ 日本"]
ALPHABET = (
    "the quick foxΣςİ\u017fﬁ½é日本 \n\t\u0085\ufeff\u3000\U0001d538😀e\u0301\u0898\u32ff<eos>"
)


def texts() -> list[str]:
    """Words that training had, and any characters in any order."""
    draw = random.Random(0)
    words = " ".join(TRAINING).split(" ")
    known = [" ".join(draw.choices(words, k=4)) for _ in range(50)]
    return [
        *known,
        *("".join(draw.choices(ALPHABET, k=draw.randrange(1, 20))) for _ in range(200)),
        *("Σίσυφος ΣΊΣΥΦΟΣ", "e\u0301\u0323\u0898", "<unk> <0xE2>", " a", "a "),
    ]


@pytest.fixture(scope="module")
def alone() -> list[tuple[int, int]]:
    return left_alone("NFKD")


@pytest.mark.parametrize("changes", [(), ("lowercase=true", "normalization=nfkd")])
@pytest.mark.parametrize("name", TOKENIZERS)
def test_ids_and_texts(
    scripts: Any,
    alone: list[tuple[int, int]],
    compose_config: Callable[..., DictConfig],
    name: str,
    changes: tuple[str, ...],
) -> None:
    overrides = [f"tokenizer={name}", *(f"tokenizer.{change}" for change in changes)]
    cfg = compose_config("train", *overrides).tokenizer
    for key, value in {"vocabulary_size": 320, "byte_fallback": not changes}.items():
        if key in cfg:
            cfg[key] = value
    tokenizer = make(cfg).train(TRAINING)
    ids = tokenizer.encode_batch(texts())
    drawn = random.Random(1).choices(range(tokenizer.vocabulary_size), k=200)
    found = scripts.evaluate(
        """([record, alone, texts, drawn]) => {
          const tokenizer = new Tokenizer(JSON.parse(record), alone);
          const ids = texts.map((text) => tokenizer.encode(text).ids);
          return {
            ids,
            texts: [...ids, ...drawn.map((id) => [5, id])].map((row) => tokenizer.decode(row)),
            tokens: drawn.map((id) => tokenizer.token(id)),
          };
        }""",
        [tokenizer.to_json(), {"NFKD": alone}, texts(), drawn],
    )
    assert found["ids"] == ids
    assert found["texts"] == [tokenizer.decode(row) for row in [*ids, *([5, id_] for id_ in drawn)]]
    assert found["tokens"] == tokenizer.tokens(drawn)


def test_what_is_unknown_is_named(scripts: Any, compose_config: Callable[..., DictConfig]) -> None:
    tokenizer = make(compose_config("train", "tokenizer=word").tokenizer).train(["a b c"])
    unknown = scripts.evaluate(
        "([record, text]) => new Tokenizer(record).encode(text).unknown",
        [json.loads(tokenizer.to_json()), "a <b> b zork <b>"],
    )
    assert unknown == ["<b>", "zork"] == tokenizer.unknown("a <b> b zork <b>")
