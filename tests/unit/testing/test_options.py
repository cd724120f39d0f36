"""What Tandem brings keeps its own promises: every option of ``conf/``, found there."""

import wave
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tandem import testing
from tandem.config.catalogue import complete_options
from tandem.config.folders import config_folder
from tandem.frontends import VectorFrontend

BY_CORPUS = {"cider"}
"""Metrics whose counts of a row depend on the other rows."""
LOSSLESS = {"bpe", "byte", "unigram"}
"""Tokenizers that give back each text with the options of their files."""
SOURCE_SIZES = {"image": 18}


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))


def parts(group: str) -> list[str]:
    return [option for option in options(group) if option != "none"]


@pytest.mark.parametrize("option", complete_options("encoder"))
def test_encoder(small_part, option) -> None:
    testing.check_encoder(small_part("encoder", option))


@pytest.mark.parametrize("option", complete_options("decoder"))
def test_decoder(small_part, option) -> None:
    testing.check_decoder(small_part("decoder", option))


@pytest.mark.parametrize("option", options("attention"))
def test_attention(small_part, option) -> None:
    testing.check_attention(small_part("attention", option))


@pytest.mark.parametrize("option", options("bridge"))
def test_bridge(small_part, option) -> None:
    testing.check_bridge(small_part("bridge", option))


@pytest.mark.parametrize("option", sorted({*complete_options("frontend")} - {"none"}))
def test_frontend(small_part, option) -> None:
    make = small_part("frontend", option)
    testing.check_frontend(make, source_size=SOURCE_SIZES.get(make.func.media, 6))


@pytest.mark.parametrize("media", ["image", "audio"])
def test_vector_frontend(media: str) -> None:
    testing.check_frontend(partial(VectorFrontend, media=media), source_size=6)


@pytest.mark.parametrize("option", options("search"))
def test_search(small_part, option) -> None:
    search = small_part("search", option)
    testing.check_search(search, penalty=getattr(search, "penalty", lambda length: 1.0))


def test_a_wide_beam_is_exhaustive(small_search) -> None:
    search = small_search("beam", width=40, length_penalty="none")
    testing.check_search(search, exhaustive=True)


@pytest.mark.parametrize("option", sorted({*complete_options("scorer")} - {"none"}))
def test_scorer(small_part, option) -> None:
    testing.check_scorer(small_part("scorer", option))


@pytest.mark.parametrize("option", parts("rule"))
def test_rule(small_part, option) -> None:
    testing.check_rule(small_part("rule", option))


@pytest.mark.parametrize("option", options("metric"))
def test_metric(small_part, option) -> None:
    testing.check_metric(small_part("metric", option), by_corpus=option in BY_CORPUS)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A file of each kind."""
    Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3)).save(tmp_path / "one.png")
    with wave.open(str(tmp_path / "one.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((3000 * np.sin(np.arange(8000))).astype(np.int16).tobytes())
    return {"image": tmp_path / "one.png", "audio": tmp_path / "one.wav"}


@pytest.mark.parametrize("option", options("features"))
def test_features(small_part, files, option) -> None:
    features = small_part("features", option)
    testing.check_features(features, files[features.media])


@pytest.mark.parametrize("changes", [("none", False), ("nfkc", True), ("nfd", False)])
@pytest.mark.parametrize("option", complete_options("tokenizer"))
def test_tokenizer(small_part, option, changes) -> None:
    normalization, lowercase = changes
    recipe = replace(
        small_part("tokenizer", option), normalization=normalization, lowercase=lowercase
    )
    testing.check_tokenizer(recipe)
    whole = option in LOSSLESS and normalization == "none"
    assert recipe.train(["a text"]).lossless == whole


@pytest.mark.parametrize("option", ["bpe", "unigram"])
def test_pieces_without_bytes_keep_what_they_know(small_part, option) -> None:
    recipe = replace(small_part("tokenizer", option), byte_fallback=False)
    testing.check_tokenizer(recipe)
    assert not recipe.train(["a text"]).lossless
