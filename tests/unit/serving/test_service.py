"""A service under load, and what it says of itself."""

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tandem.inference import Bundle
from tandem.models import Seq2Seq
from tandem.serving.served_model import ServedModel

Serve = Callable[..., TestClient]
Served = Callable[..., Any]


def generate(client: TestClient, **body: Any) -> Any:
    return client.post("/generate", json={"sources": ["a b"], **body})


def test_what_is_answered_together_is_answered_as_alone(client: Serve, served: Served) -> None:
    bodies = [{"sources": [text]} for text in ("a b c", "d", "c c b", "a")]
    with client() as alone:
        expected = [alone.post("/generate", json=body).json()["outputs"] for body in bodies]
    service = served(window_ms=200.0, max_requests=9)
    with client(service) as together, ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(lambda body: together.post("/generate", json=body), bodies))
    for answer, outputs in zip(answers, expected, strict=True):
        for (one,), (other,) in zip(answer.json()["outputs"], outputs, strict=True):
            assert (one["tokens"], one["score"]) == (
                other["tokens"],
                pytest.approx(other["score"], rel=1e-5),
            )
    assert "tandem_batch_requests_sum 4\ntandem_batch_requests_count 1\n" in service.metrics.text()


def test_a_random_search_repeats_itself_whoever_asks_beside_it(
    client: Serve, served: Served
) -> None:
    body = {"search": "sampling", "options": {"seed": 5, "temperature": 3}}
    with client() as alone:
        expected = [generate(alone, sources=[text], **body).json()["outputs"] for text in "abcd"]
    with client(served(window_ms=100.0, max_requests=9)) as busy, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: generate(busy, sources=[text], **body), "abcd"))
    assert [answer.json()["outputs"] for answer in answers] == expected


def test_a_model_that_fails_answers_the_next_request(
    client: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("secret of the server")

    with client() as ask:
        with monkeypatch.context() as patched:
            patched.setattr(Bundle, "hypotheses_of", fail)
            response = generate(ask)
            with ask.stream("POST", "/generate", json={"sources": ["a"], "stream": True}) as stream:
                lines = [line for line in stream.iter_lines() if line]
        sentence = "The server failed to answer this request, and its log says why; others are "
        assert response.status_code == 500
        assert response.json()["error"].startswith(sentence)
        assert json.loads(lines[0].removeprefix("data: "))["error"].startswith(sentence)
        assert "secret of the server" in caplog.text
        assert generate(ask).status_code == 200


def test_a_program_that_searches_by_itself_is_not_listened_to(
    client: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    listeners: list[Any] = []
    whole = Bundle.hypotheses_of

    def noted(bundle: Bundle, *arguments: Any, **options: Any) -> Any:
        listeners.append(bundle.decoding.listener)
        return whole(bundle, *arguments, **options)

    monkeypatch.setattr(Bundle, "hypotheses_of", noted)
    with client() as ask:
        assert generate(ask).status_code == 200
        monkeypatch.setattr(Seq2Seq, "searches_itself", True)
        assert generate(ask).status_code == 200
        stream = generate(ask, stream=True)
    assert [listener is None for listener in listeners] == [False, True]
    assert stream.status_code == 422
    assert stream.json()["error"] == (
        "The model mine is computed by a program that tells whole outputs only; leave `stream` out."
    )


def test_a_path_that_fails_says_so_in_a_sentence(
    client: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(ServedModel, "described")
    response = client().get("/models")
    assert response.status_code == 500
    assert response.json()["error"].startswith("The server failed to answer this request, and its ")
    assert "AttributeError" in caplog.text


def test_too_many_requests(client: Serve, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    whole = Bundle.hypotheses_of

    def wait(bundle: Bundle, *arguments: Any, **options: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return whole(bundle, *arguments, **options)

    monkeypatch.setattr(Bundle, "hypotheses_of", wait)
    with client(served(max_requests=1)) as ask, ThreadPoolExecutor(1) as pool:
        first = pool.submit(generate, ask)
        assert begun.wait(20)
        second = generate(ask)
        go_on.set()
        assert first.result().status_code == 200
        third = generate(ask)
    assert (second.status_code, second.headers["Retry-After"]) == (503, "1")
    assert second.json()["error"] == (
        "The server is busy with 1 requests, which is the most it takes; send the request again "
        "later."
    )
    assert third.status_code == 200


def test_a_request_that_takes_too_long(
    client: Serve, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    whole = Bundle.hypotheses_of

    def wait(bundle: Bundle, *arguments: Any, **options: Any) -> Any:
        assert go_on.wait(20)
        return whole(bundle, *arguments, **options)

    with client(served(timeout=0.2)) as ask:
        with monkeypatch.context() as patched:
            patched.setattr(Bundle, "hypotheses_of", wait)
            response = generate(ask)
        go_on.set()
        assert response.status_code == 504
        assert response.json()["error"].startswith("The request took more than 0.2 s, so its work")


def test_metrics_are_in_the_format_of_prometheus(client: Serve) -> None:
    with client() as ask:
        generate(ask)
        ask.get("/nothing")
        response = ask.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = response.text.splitlines()
    value = re.compile(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+]+')
    assert all(line.startswith(("# HELP ", "# TYPE ")) or value.fullmatch(line) for line in lines)
    assert 'tandem_requests_total{path="/generate",status="200"} 1' in lines
    assert 'tandem_requests_total{path="other",status="404"} 1' in lines
    assert 'tandem_request_seconds_bucket{path="/generate",le="+Inf"} 1' in lines
    assert 'tandem_request_seconds_count{path="/generate"} 1' in lines
    assert 'tandem_symbols_total{model="mine",direction="read"} 3' in lines
    assert "tandem_waiting_requests 0" in lines


def test_what_a_server_says_of_its_models(
    client: Serve, served: Served, small_bundle: Callable[..., Path]
) -> None:
    folders = small_bundle("one"), small_bundle("two", attention="NoAttention")
    models = client(served(*folders)).get("/models").json()["models"]
    assert [(one["name"], one["attention"]) for one in models] == [("one", "dot"), ("two", "none")]
    assert (models[0]["encoder"], models[0]["decoder"]) == ("gru", "gru")
    assert models[0]["default_search"] == "greedy"
    assert models[0]["parameters"] > 0
    width = models[0]["searches"]["beam"]["width"]
    assert (width["default"], width["min"], width["max"], width["kind"]) == (5, 1, 8, "int")
    assert width["help"]
    assert models[0]["searches"]["sampling"]["top_p"]["max"] == 1
    assert models[0]["searches"]["greedy"] == {}


def test_the_description_of_the_api(client: Serve) -> None:
    ask = client()
    described = ask.get("/openapi.json").json()
    keys = described["paths"]["/generate"]["post"]["requestBody"]["content"]["application/json"]
    assert {*keys["schema"]["properties"]} >= {"model", "sources", "search", "options", "n_best"}
    assert all(one["description"] for one in keys["schema"]["properties"].values())
    for path in ("/", "/look", "/docs"):
        page = ask.get(path)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        for name in re.findall(r'"(static/[^"]+)"', page.text):
            assert ask.get(f"/{name}").status_code == 200, name


def test_examples_are_what_the_run_has_kept(
    client: Serve, served: Served, small_bundle: Callable[..., Path]
) -> None:
    folder = small_bundle("mine")
    assert client(served(folder)).get("/models/mine/examples").json() == {"examples": []}
    rows = [
        {"split": split, "index": index, "source": source, "references": [reference]}
        for split, index, source, reference in (
            *(("validation", 0, "v", "v"), ("test", 1, "old", "old")),
            *(("test", 1, "b", "y"), ("test", 0, "a", "x")),
        )
    ]
    lines = [*map(json.dumps, rows), "{", "5", '{"split": "test"}']
    (folder / "samples.jsonl").write_text("\n".join(lines))
    assert client(served(folder)).get("/models/mine/examples").json()["examples"] == [
        {"source": "a", "name": "a", "reference": "x", "preview": None},
        {"source": "b", "name": "b", "reference": "y", "preview": None},
    ]


def test_inside_a_model(client: Serve, served: Served, small_bundle: Callable[..., Path]) -> None:
    ask = client(served(small_bundle("mine", max_length=7)))
    record = ask.post("/inspect", json={"source": "a b", "search": "beam", "prefix": [5]}).json()
    assert record["source"]["text"] == "a b"
    assert record["output"]["ids"][0] == 5
    assert (record["model"]["name"], record["model"]["attention"]) == ("mine", "dot")
    assert record["beam"]["width"] == 5
    expected = ask.post("/generate", json={"sources": ["a b"]}).json()["outputs"][0][0]
    plain = ask.post("/inspect", json={"source": "a b"}).json()["output"]
    assert plain["tokens"] == expected["tokens"]
