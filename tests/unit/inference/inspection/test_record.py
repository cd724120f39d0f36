"""The record of an inspection: bounded, finite, and what the arrays say."""

import base64
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.data.readers.base import Preview
from tandem.inference.inspection.inspection import Inspection, OutputSeen, SourceSeen
from tandem.inference.inspection.pictures import LARGEST, image_url, spectrogram_url
from tandem.inference.inspection.record import rounded
from tandem.inference.inspection.tree import BEST, DIED, Node

RANDOM = np.random.default_rng(0)
LENGTH, TARGET, VOCABULARY = 1000, 30, 50


def softmax(shape: tuple[int, ...]) -> Any:
    exp = np.exp(RANDOM.normal(size=shape))
    return exp / exp.sum(-1, keepdims=True)


@pytest.fixture(scope="module")
def large() -> Inspection:
    """Of a recording of 1,000 positions, in 12 layers with 8 heads."""
    tokens = [*range(4, TARGET + 3), SPECIAL_IDS.eos]
    arrays = {
        "source": RANDOM.normal(size=(LENGTH, 80)),
        "embeddings": RANDOM.normal(size=(LENGTH, 512)),
        "memory/states": RANDOM.normal(size=(LENGTH, 512)),
        "memory/summary": RANDOM.normal(size=512),
        "decoder/tokens": np.array(tokens),
        "decoder/features": RANDOM.normal(size=(TARGET, 512)),
        "decoder/log_probs": np.log(softmax((TARGET, VOCABULARY))),
        "decoder/attention": softmax((TARGET, LENGTH)),
    }
    arrays["decoder/log_probs"][:, :2] = -np.inf
    attention = softmax((8, LENGTH, LENGTH))
    for number in range(1, 13):
        arrays[f"encoder/layer_{number}/states"] = arrays["memory/states"]
        arrays[f"encoder/layer_{number}/self_attention"] = attention
    tree = [Node(0, None, 1, 0.0, 0.0, 0, BEST)]
    tree += [Node(place, 0, 4, -1.0, -np.inf, 1, DIED) for place in range(1, 9999)]
    tree.append(Node(9999, 9998, 5, -1.0, -2.0, 2, DIED))
    labels = [f"<{place}>" for place in range(VOCABULARY)]
    return Inspection(
        source=SourceSeen("a.wav", "audio", None, Preview(arrays["source"], 10.0), None),
        arrays=arrays,
        outputs=[OutputSeen("text", [labels[id_] for id_ in tokens], Hypothesis(tokens, -np.inf))],
        prefix=[],
        tree=tree,
        width=5,
        vocabulary=labels,
        summary_alone=False,
        parts={"encoder": "ConformerEncoder"},
        parameters=1,
        lacks={},
    )


def test_a_record_of_a_long_recording_is_bounded(large: Inspection) -> None:
    record = large.to_json()
    text = json.dumps(record, allow_nan=False)
    assert len(text) < 8_000_000
    layer = record["encoder"]["layers"][0]
    assert (layer["name"], layer["units"], layer["positions"], layer["together"]) == (
        "layer 1",
        512,
        1000,
        4,
    )
    assert np.shape(layer["rows"]) == (250, 64)
    states = large.arrays["memory/states"]
    assert layer["rows"][3][2] == pytest.approx(states[12:16, 16:24].mean(), rel=1e-3)
    weights = np.array(record["encoder"]["self_attention"])
    assert weights.shape == (12, 8, 63, 63)
    assert record["encoder"]["self_attention_together"] == 16
    np.testing.assert_allclose(weights.sum(-1), 1, atol=0.01)
    first = large.arrays["encoder/layer_1/self_attention"][2, 16:32, 32:48]
    assert weights[0, 2, 1, 2] == pytest.approx(first.sum(1).mean(), rel=1e-3)
    steps = record["decoder"]["steps"]
    assert [step["id"] for step in steps] == large.outputs[0].hypothesis.tokens
    assert np.shape(steps[0]["attention"]) == (250,)
    assert sum(steps[0]["attention"]) == pytest.approx(1, abs=0.01)
    log_probs = large.arrays["decoder/log_probs"][0]
    likeliest = steps[0]["likeliest"]
    assert likeliest[0]["id"] == log_probs.argmax()
    assert [one["probability"] for one in likeliest] == pytest.approx(
        sorted(np.exp(log_probs), reverse=True)[:5], rel=1e-3
    )
    assert record["output"]["score"] is None
    assert record["source"]["picture"].startswith("data:image/png;base64,")
    assert "a.wav" not in text  # a path is nobody's business


def test_a_tree_that_is_cut_keeps_parents(large: Inspection) -> None:
    beam = large.to_json()["beam"]
    assert len(beam["nodes"]) == 2000
    assert beam["omitted"] == 8000
    ids = {node["id"] for node in beam["nodes"]}
    assert all(node["parent"] in ids for node in beam["nodes"] if node["parent"] is not None)


def test_a_record_of_no_graph_has_gaps(large: Inspection) -> None:
    arrays = {name: array for name, array in large.arrays.items() if not name.startswith("enc")}
    del arrays["embeddings"], arrays["decoder/attention"], arrays["decoder/features"]
    record = replace(large, arrays=arrays).to_json()
    assert record["embeddings"] is None
    assert record["encoder"]["layers"] == []
    assert record["encoder"]["self_attention"] is None
    step = record["decoder"]["steps"][0]
    assert step["attention"] is None
    assert step["features"] is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, 0.0),
        (0.123456, 0.1235),
        (-1234567.0, -1235000.0),
        (1e-320, 0.0),
        (2.5e300, 2.5e300),
        (np.nan, None),
        ([1.0, -np.inf], [1.0, None]),
        (np.float32(0.1), 0.1),
    ],
)
def test_numbers_have_four_digits(value: Any, expected: Any) -> None:
    assert rounded(value) == expected


def opened(url: str) -> Any:
    kind, _, content = url.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_a_picture_is_written_as_it_is(shape: tuple[int, ...]) -> None:
    pixels = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(opened(image_url(pixels)), pixels)


def test_a_large_picture_is_averaged() -> None:
    pixels = np.zeros((3, 2 * LARGEST + 1), np.uint8)
    pixels[:, 3:] = 90
    shown = opened(image_url(pixels))
    assert shown.shape == (3, 683)
    assert shown[0, :2].tolist() == [0, 90]


def test_a_spectrogram_stands_upright() -> None:
    frames = np.zeros((20, 4))
    frames[0, 0] = frames[:, 3] = 1.0
    shown = opened(spectrogram_url(frames)).astype(int).sum(-1)  # brightness
    assert shown.shape == (4, 20)
    assert (shown[0] == shown.max()).all()  # the highest band is loud
    assert shown[3, 0] == shown.max()
    assert shown[3, 1] == shown.min()
