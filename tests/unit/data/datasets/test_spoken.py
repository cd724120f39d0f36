"""Spoken requests: what is unseen, what is the same again, what is kept."""

import importlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tandem.core.errors import InputError
from tandem.data.audio import read_audio
from tandem.data.datasets import spoken
from tandem.data.espeak import Espeak
from tandem.data.features import File

MODULE = importlib.import_module("tandem.data.datasets.spoken")  # the function has its name


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path))
    return tmp_path / "spoken"


def load(**changes: Any) -> Any:
    options = {
        **{"size": 4, "validation_size": 2, "test_size": 1, "sampling_rate": 8000, "seed": 0},
        **{"grammar": None, "pronunciations": {}},
    }
    return spoken(**{**options, **changes})


def test_sizes_and_sound() -> None:
    data = load()
    assert [len(split) for split in data.values()] == [4, 2, 1]
    assert len({text for split in data.values() for text in split["target"][:]}) == 7
    for file in data["train"]["source"][:]:
        samples, rate = read_audio(file["path"], file["bytes"], "", remedy="")
        assert rate == 8000
        assert 0.7 < len(samples) / rate < 6
        assert 0.01 < np.sqrt(np.mean(samples**2)) < 0.5


def test_the_same_again_from_the_cache_and_anew(cache: Path) -> None:
    first = load()
    files = sorted(path.name for path in cache.iterdir())
    assert len(files) == 3
    times = [path.stat().st_mtime_ns for path in sorted(cache.iterdir())]
    again = load()
    assert [path.stat().st_mtime_ns for path in sorted(cache.iterdir())] == times
    for path in cache.iterdir():
        path.unlink()
    anew = load()
    for split in first:
        assert first[split][:] == again[split][:] == anew[split][:]
    other = load(seed=1)
    assert other["train"]["target"][:] != first["train"]["target"][:]


def test_more_training_recordings_are_other_sets() -> None:
    assert len(load(size=5)["train"]) == 5
    assert len(load(sampling_rate=16000)["test"][0]["source"]["bytes"]) > len(
        load()["test"][0]["source"]["bytes"]
    )


def test_a_cache_that_cannot_be_written(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write_text("no folder")
    with caplog.at_level("WARNING", logger="tandem"):
        assert len(load()["train"]) == 4
    assert "continuing without the cache" in caplog.text


def test_nobody_is_in_two_splits() -> None:
    voices = MODULE.VOICES
    assert len(voices["train"]) > 40
    everyone = [name for names in voices.values() for name in names]
    assert len(set(everyone)) == len(everyone)
    speaker = Espeak(0)
    for accent in MODULE.ACCENTS:
        for variant in (voices["train"][0], voices["test"][-1]):
            assert len(speaker.say("on", accent=accent, variant=variant, speed=180, pitch=50))
    for variant in everyone:  # raises if this version of espeak-ng lacks one
        speaker.say("", accent="en-us", variant=variant, speed=180, pitch=50)


def test_the_grammar() -> None:
    sentences = MODULE.draw_sentences(MODULE.GRAMMAR, 4600, random.Random(0))
    assert len(set(sentences)) == 4600
    words = [set(" ".join(part).split()) for part in (sentences[:4000], sentences[4000:])]
    assert words[1] <= words[0]
    assert 150 < len(words[0]) < 200
    assert all(word.isalpha() and word.islower() for word in words[0])


def test_a_grammar_of_ones_own() -> None:
    grammar = {"request": ["{letter} {letter}"], "letter": ["a", "b", "z"]}
    data = load(grammar=grammar)
    texts = [text for split in data.values() for text in split["target"][:]]
    assert len(set(texts)) == 7
    assert {word for text in texts for word in text.split()} == {"a", "b", "z"}
    longer = load(grammar=grammar, pronunciations={"a": "a very long word", "z": "very long too"})
    assert longer["train"]["target"][:] == data["train"]["target"][:]
    seconds = [_seconds(split["train"]["source"][:]) for split in (data, longer)]
    for text, one, two in zip(data["train"]["target"][:], *seconds, strict=True):
        assert (two > 1.3 * one) == (text != "b b")


def _seconds(files: list[File]) -> list[float]:
    recordings = [read_audio(file["path"], file["bytes"], "", remedy="") for file in files]
    return [len(samples) / rate for samples, rate in recordings]


def test_a_speaker_is_as_its_seed_says() -> None:
    def say(seed: int) -> list[float]:
        speaker = Espeak(seed)
        manner: dict[str, Any] = {"accent": "en-us", "variant": "f3", "speed": 180, "pitch": 50}
        speaker.say("one", **manner)
        return speaker.say("two", **manner).tolist()

    assert say(1) == say(1)
    assert say(1) != say(2)


def test_speed_pitch_and_unknown_voices() -> None:
    speaker = Espeak(0)
    slow, fast = (
        len(speaker.say("turn on the lamp", accent="en", variant="m1", speed=speed, pitch=50))
        for speed in (100, 200)
    )
    assert slow > 1.5 * fast
    with pytest.raises(InputError, match=r"espeak-ng has no voice en\+nobody; install another"):
        speaker.say("one", accent="en", variant="nobody", speed=180, pitch=50)
    with pytest.raises(InputError, match=r"espeak-ng has no voice xx\+m1"):
        speaker.say("one", accent="xx", variant="m1", speed=180, pitch=50)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"size": 0}, r"dataset.size \(0\) must be between 1 and 50000"),
        ({"test_size": 0}, r"dataset.test_size \(0\) must be between"),
        ({"grammar": {"start": ["go"]}}, "must have rules for request, but has rules for start;"),
        ({"grammar": {"request": ["{x}"], "x": []}}, "must have rules for x, but has rules for"),
        ({"grammar": {"request": ["go", "{request}"]}}, r"has request inside request \(request <"),
        ({"grammar": {"request": ["go", "no"]}}, "2 different sentences in 700 draws, but 7 are"),
        ({"sampling_rate": 44100}, r"dataset.sampling_rate \(44100\) must be between 4000 and"),
    ],
)
def test_options_that_cannot_be(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        load(**changes)
