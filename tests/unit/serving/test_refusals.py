"""What is refused: each with its status and one sentence, and the next request is answered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

Serve = Callable[..., TestClient]

JSON = {"Content-Type": "application/json"}
DEEP = "[" * 2000

BODIES: list[tuple[str, Any, int, str]] = [
    # path, body (bytes or plain data), status, how the sentence begins
    ("/generate", b"{", 400, "The body is not JSON ("),
    ("/generate", b"\xff\xfe", 400, "The body is not JSON ("),
    ("/generate", b'{"sources": [NaN]}', 400, "The body is not JSON (NaN is no number of JSON)"),
    ("/generate", b'{"n_best": 1e999}', 400, "The body is not JSON (the number 1e999 is too large"),
    ("/generate", f'{{"sources": {DEEP}'.encode(), 400, "The body is not JSON (it is nested more"),
    ("/generate", b'{"n_best": ' + b"9" * 5000 + b"}", 400, "The body is not JSON ("),
    ("/generate", [1], 422, "The body must be a JSON object"),
    ("/generate", {}, 422, "The body lacks the key `sources`; give it."),
    ("/generate", {"sources": "a"}, 422, "`sources` must be a list, but is 'a'."),
    ("/generate", {"sources": []}, 422, "`sources` must be a list of at least one, but is empty."),
    ("/generate", {"sources": ["a", 5]}, 422, "`sources[1]` must be a text, but is 5."),
    ("/generate", {"sources": ["a"], "n_best": True}, 422, "`n_best` must be a whole number, but "),
    ("/generate", {"sources": ["a"], "n_best": 0}, 422, "`n_best` must be a number of at least 1"),
    ("/generate", {"sources": ["a"], "n_best": 2}, 422, "`n_best` must be at most 1, which the s"),
    ("/generate", {"sources": ["a"], "stream": 1}, 422, "`stream` must be true or false, but is 1"),
    ("/generate", {"sources": ["a"], "options": 1}, 422, "`options` must be an object, but is 1."),
    ("/generate", {"source": ["a"]}, 422, "The body lacks the key `sources`; give it."),
    ("/score", {"sources": ["a"], "targets": ["w"], "trget": 1}, 422, "There is no key 'trget' (d"),
    ("/generate", b'{"sources": ["\\ud800"]}', 422, "The body has a text with half of a surrogat"),
    ("/generate", b'{"sources": ["a\\u0000"]}', 422, "The body has a text with half of a surrogat"),
    ("/generate", {"sources": [""]}, 422, "The source 1 is empty; give it some text."),
    ("/generate", {"sources": ["a", " "]}, 422, "The source 2 is empty; give it some text."),
    ("/generate", {"sources": ["a"] * 5}, 413, "The request has 5 sources, but this server takes "),
    ("/generate", {"sources": ["a " * 11]}, 413, "The source 1 has 11 symbols, but this server re"),
    ("/generate", {"sources": ["a" * 400]}, 413, "The source 1 has 400 characters, but this serv"),
    (
        "/generate",
        {"sources": ["a"], "model": "../x"},
        404,
        "There is no model '../x'; GET /models",
    ),
    (
        "/generate",
        {"sources": ["a"], "search": "beem"},
        422,
        "There is no search 'beem' (did you m",
    ),
    (
        "/score",
        {"sources": ["a"], "targets": []},
        422,
        "`targets` must be a list of at least one, ",
    ),
    (
        "/score",
        {"sources": ["a"], "targets": ["w", "x"]},
        422,
        "There are 1 `sources` and 2 `targe",
    ),
    (
        "/score",
        {"sources": ["a"], "targets": ["w " * 11]},
        413,
        "The target 1 has 11 symbols, but t",
    ),
    (
        "/inspect",
        {"source": "a", "prefix": [1.5]},
        422,
        "`prefix[0]` must be a whole number, but is",
    ),
    (
        "/inspect",
        {"source": "a", "prefix": [-1]},
        422,
        "`prefix` must be a list of ids of target s",
    ),
    ("/inspect", {"source": ["a"]}, 422, "`source` must be a text, but is a list."),
]
OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("greedy", {"width": 5}, "The search greedy has no option 'width'; it has none."),
    ("beam", {"widht": 5}, "The search beam has no option 'widht' (did you mean width?); it has "),
    ("beam", {"width": 0}, "The option `width` must be a whole number of at least 1, but is 0."),
    ("beam", {"width": "5"}, "The option `width` must be a whole number of at least 1, but is '5'"),
    (
        "beam",
        {"width": 9},
        "The search beam would keep 9 prefixes of each source, but this server ",
    ),
    (
        "beam",
        {"width": 10**40},
        "The option `width` must be a whole number of at least 1, but is 1",
    ),
    ("beam", {"alpha": 11}, "The option `alpha` must be a number from -10 to 10, but is 11."),
    ("beam", {"length_penalty": "x"}, "`search.length_penalty`"),
    ("beam", {"_target_": "os.system"}, "The search beam has no option '_target_'; it has width, "),
    (
        "constrained",
        {},
        "The search constrained needs the option `required`; give it in `options`.",
    ),
    ("constrained", {"required": [{"_target_": "os.system"}]}, "The option `required` must be a l"),
    ("constrained", {"required": [[4] * 99]}, "The search constrained would keep 500 prefixes of"),
    ("constrained", {"required": ["nothing"]}, "`search.required` holds 'nothing', which cannot "),
    ("constrained", {"required": [[99]]}, "`search.required` names the id 99, but the target voc"),
    ("sampling", {"temperature": 0}, "`search.temperature` must be from 0.01 to 100, but is 0"),
    (
        "sampling",
        {"seed": 2**32},
        "The option `seed` must be a whole number from 0 to 4294967295, ",
    ),
    ("diverse", {"width": 7, "groups": 3}, "`search.groups`"),
]
HEADERS = [
    ({"Content-Type": "text/plain"}, 415, "The body must have the type application/json, but has"),
    ({"Content-Type": ""}, 415, "The body must have the type application/json, but has ''; send"),
    ({"Host": "evil.example"}, 421, "This server does not answer to the name 'evil.example'; use"),
    ({"Host": "localhost.evil.example:80"}, 421, "This server does not answer to the name 'localh"),
    ({"Host": "["}, 421, "This server does not answer to the name '['; use its address, or start"),
    ({"Origin": "http://evil.example"}, 403, "Pages of 'http://evil.example' may not ask this ser"),
    ({"Origin": "null"}, 403, "Pages of 'null' may not ask this server; ask from its own pages."),
]
PATHS = [
    ("GET", "/nothing", 404, "GET /nothing is no path of this server; GET /docs lists them."),
    ("PUT", "/generate", 405, "PUT /generate is no path of this server; GET /docs lists them."),
    ("OPTIONS", "/generate", 405, "OPTIONS /generate is no path of this server; GET /docs lists"),
    ("GET", "/static/../app.py", 404, "GET /"),
    ("GET", "/static/%2e%2e/app.py", 404, "GET /"),
    ("GET", "/static//etc/passwd", 404, "GET /static//etc/passwd is no path of this server"),
    ("GET", "/models/..%2f..%2fetc/examples", 404, ""),
    ("GET", "/models/nobody/examples", 404, "There is no model 'nobody'; GET /models lists them."),
]


def sentence(response: Any) -> str:
    (key, text), *others = response.json().items()
    assert (key, others) == ("error", [])
    assert isinstance(text, str)
    assert text.endswith((".", "..."))
    return text


def is_answered(client: TestClient) -> bool:
    return client.post("/generate", json={"sources": ["a"]}).status_code == 200


def test_bodies(client: Serve) -> None:
    ask = client()
    for path, body, status, begins in BODIES:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = ask.post(path, content=content, headers=JSON)
        assert (response.status_code, sentence(response)[: len(begins)]) == (status, begins)
    assert is_answered(ask)


def test_options(client: Serve) -> None:
    ask = client()
    for search, options, begins in OPTIONS:
        body = {"sources": ["a"], "search": search, "options": options}
        response = ask.post("/generate", json=body)
        assert (response.status_code, sentence(response)[: len(begins)]) == (422, begins)
    assert is_answered(ask)


def test_headers(client: Serve) -> None:
    ask = client()
    for headers, status, begins in HEADERS:
        response = ask.post("/generate", content=b'{"sources": ["a"]}', headers={**JSON, **headers})
        assert (response.status_code, sentence(response)[: len(begins)]) == (status, begins)
    for host in ("localhost:8000", "127.0.0.1", "[::1]:80", "LOCALHOST"):
        assert ask.get("/health", headers={"Host": host}).status_code == 200, host
    own = {"Host": "localhost:8000", "Origin": "http://localhost:8000"}
    assert ask.get("/health", headers=own).status_code == 200


def test_paths(client: Serve) -> None:
    ask = client()
    for method, path, status, begins in PATHS:
        response = ask.request(method, path)
        assert (response.status_code, sentence(response)[: len(begins)]) == (status, begins)


def test_a_long_body_and_a_long_sentence(client: Serve) -> None:
    ask = client()
    response = ask.post("/generate", json={"sources": ["a" * 10_000]})
    assert response.status_code == 413
    assert sentence(response).startswith("The body has more than 10,000 bytes, which is the most ")
    response = ask.post(
        "/generate",
        json={"sources": ["a"], "search": "beam", "options": {"length_penalty": "x" * 5000}},
    )
    assert len(sentence(response)) < 600


@pytest.mark.parametrize(
    ("body", "begins"),
    [
        ({"search": "beam"}, "A stream has one output of one source, by a search that takes no "),
        ({"search": "sampling", "options": {"num_samples": 2}}, "A stream has one output of one"),
        ({"sources": ["a", "b"]}, "A stream has one output of one source, by a search that takes"),
        ({"attention": True}, "A stream has no attention; leave `attention` out."),
    ],
)
def test_streams(client: Serve, body: dict[str, Any], begins: str) -> None:
    response = client().post("/generate", json={"sources": ["a"], "stream": True, **body})
    assert (response.status_code, sentence(response)[: len(begins)]) == (422, begins)


def test_a_model_without_attention_weights(
    client: Serve, served: Callable[..., Any], small_bundle: Callable[..., Path]
) -> None:
    ask = client(served(small_bundle("mine", attention="NoAttention")))
    response = ask.post("/generate", json={"sources": ["a"], "attention": True})
    assert response.status_code == 422
    assert sentence(response) == (
        "The attention of the model mine has no weights; leave `attention` out."
    )


def test_answers_forbid_what_pages_need_not(client: Serve) -> None:
    ask = client()
    for response in (ask.get("/models"), ask.get("/nothing"), ask.get("/", headers={"Host": "x"})):
        headers = response.headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in headers
