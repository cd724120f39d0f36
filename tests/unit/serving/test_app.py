"""The paths: what they answer."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tandem.inference import load_bundle

Serve = Callable[..., TestClient]


def test_outputs_are_those_of_the_bundle(
    client: Serve, served: Callable[..., Any], small_bundle: Callable[..., Path]
) -> None:
    folder = small_bundle("mine")
    sources = ["a b", "c", "d c b a"]
    response = client(served(folder)).post(
        "/generate", json={"sources": sources, "search": "beam", "n_best": 2}
    )
    assert response.status_code == 200
    answer = response.json()
    assert answer["model"] == "mine"
    assert [len(outputs) for outputs in answer["outputs"]] == [2, 2, 2]
    greedy = client(served(folder)).post("/generate", json={"sources": sources}).json()
    bundle = load_bundle(folder)
    expected = bundle.hypotheses(sources)
    for (output,), (best, *_) in zip(greedy["outputs"], expected, strict=True):
        assert output["text"] == bundle.processors.target.decode(best.tokens)
        assert output["tokens"] == bundle.processors.target.tokens(best.tokens)
        assert math.isclose(output["score"], best.score)


def test_a_stream_tells_the_symbols_of_the_output(client: Serve) -> None:
    ask = client()
    (whole,) = ask.post("/generate", json={"sources": ["a b"]}).json()["outputs"][0]
    with ask.stream("POST", "/generate", json={"sources": ["a b"], "stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    symbols = [symbol for symbol in whole["tokens"] if symbol != "<eos>"]
    assert [event["token"] for event in events[:-1]] == symbols
    assert events[-1] == {"done": True, **whole}
    assert events[-2]["text"] == whole["text"]


def test_scores(client: Serve, served: Callable[..., Any], small_bundle: Any) -> None:
    folder = small_bundle("mine")
    body = {"sources": ["a b", "c"], "targets": ["w x", ""]}
    scores = client(served(folder)).post("/score", json=body).json()["scores"]
    expected = load_bundle(folder).score(**body)
    assert [one["tokens"] for one in scores] == [one.tokens for one in expected]
    for one, other in zip(scores, expected, strict=True):
        assert one["log_prob"] == pytest.approx(other.log_prob)
