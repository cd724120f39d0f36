"""How `tandem serve` bears many clients at once, with and without batching, and bad requests.

    python benchmarks/serve_load.py RUN [RUN ...] [--clients 50] [--seconds 60] [--malformed 1000]

A server of its own runs on a free port of the loopback. Clients, in a process of their own, each
keep one connection and send the next request when the last one is answered. The sources are the
test samples of the first run, which reads texts; bad requests go to all runs. Printed are
requests/s, percentiles of the time of a request, and the memory (RSS) of the server after warming
up and at the end.
"""

import argparse
import asyncio
import base64
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

WARM_UP = 3.0
"""Seconds before anything is counted."""
HEADERS = "Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
DEEP = 100_000
HUGE = 9_000_000


@contextmanager
def server(runs: list[str], *options: str) -> Iterator[tuple[int, int]]:
    """The port and the process of a server that answers."""
    start = "from tandem.commands.cli import main; main()"
    words = [sys.executable, "-c", start, "serve", *runs, "port=0", *options]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        if address:
            break
    else:
        raise SystemExit("The server did not start.")
    log: list[str] = []
    reading = threading.Thread(target=log.extend, args=(process.stderr,), daemon=True)
    reading.start()
    try:
        yield int(address[1]), process.pid
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(20)
        reading.join(5)
        failed = [line for line in log if "failed" in line or "Traceback" in line]
        if code or failed:
            print(f"The server ended with {code}; its log says: {failed[:3]}")


def memory(process: int) -> float:
    """MB that a process has in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def ask(port: int, request: bytes, *, connection: Any = None) -> tuple[int, bytes, Any]:
    """The status and body of an answer, and the connection if it stays."""
    if connection is None:
        connection = await asyncio.open_connection("127.0.0.1", port)
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    body = await reader.readexactly(int(length[1])) if length else b""
    return int(head.split(b" ", 2)[1]), body, connection


def post(path: str, body: bytes, headers: str = HEADERS) -> bytes:
    """A request."""
    return f"POST {path} HTTP/1.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def client(port: int, sources: list[str], search: str | None, end: float) -> list[float]:
    """The seconds of each request that one client sends until the end."""
    seconds: list[float] = []
    connection = None
    while time.monotonic() < end:
        body = {"sources": [random.choice(sources)], "search": search}
        start = time.monotonic()
        status, answer, connection = await ask(
            port, post("/generate", json.dumps(body).encode()), connection=connection
        )
        seconds.append(time.monotonic() - start)
        if status != 200:
            raise SystemExit(f"The server answered {status}: {answer.decode()}")
    return seconds


def load(port: int, clients: int, seconds: float, sources: list[str], search: str | None) -> Any:
    """What all clients measure together."""

    async def all_clients() -> list[list[float]]:
        end = time.monotonic() + seconds
        return await asyncio.gather(*(client(port, sources, search, end) for _ in range(clients)))

    return sorted(value for values in asyncio.run(all_clients()) for value in values)


def measure(run: str, options: argparse.Namespace, *settings: str) -> None:
    """Print one row about a server with some settings."""
    sources = test_sources(Path(run))
    with server([run], *settings) as (port, process), get_context("spawn").Pool(1) as pool:
        arguments = (sources, options.search)
        pool.apply(load, (port, options.clients, WARM_UP, *arguments))
        before = memory(process)
        values = pool.apply(load, (port, options.clients, options.seconds, *arguments))
        after = memory(process)
        half, most = values[len(values) // 2], values[int(0.95 * len(values))]
        counted = asyncio.run(ask(port, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))[1]
        batches = dict(re.findall(r"tandem_batch_requests_(sum|count) (\S+)", counted.decode()))
        together = float(batches["sum"]) / float(batches["count"])
        print(
            f"{' '.join(settings) or 'as it comes':30} {len(values) / options.seconds:8.1f} "
            f"requests/s, 50 %: {1000 * half:6.1f} ms, 95 %: {1000 * most:6.1f} ms, "
            f"{together:5.1f} requests a batch, {before:.0f} -> {after:.0f} MB",
            flush=True,
        )


def test_sources(run: Path) -> list[str]:
    """Texts of the run's samples."""
    lines = (run / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted({json.loads(line)["source"] for line in lines})


def malformed(rng: random.Random, file_models: list[str]) -> tuple[str, bytes]:
    """A kind of bad request, and one of it.

    :param file_models: those that read pictures or recordings.
    """
    name = rng.choice([*KINDS, *["file"] * bool(file_models)])
    if name == "file":
        return name, _bad_file(rng, rng.choice(file_models))
    return name, KINDS[name](rng)


def _bad_file(rng: random.Random, model: str) -> bytes:
    content = rng.choice(
        [
            rng.randbytes(rng.randrange(1, 3000)),
            b"/etc/passwd",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
            b"\x89PNG\r\n\x1a\n" + rng.randbytes(200),
            b"RIFF\xff\xff\xff\xffWAVEfmt " + rng.randbytes(200),
            b"fLaC" + rng.randbytes(200),
            b"ID3" + rng.randbytes(2000),
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        ]
    )
    text = rng.choice([base64.b64encode(content).decode(), "/etc/passwd", "ä", "====", "a b"])
    path = rng.choice(["/generate", "/inspect"])
    sources = {"sources": [text]} if path == "/generate" else {"source": text}
    return post(path, _body(model=model, **sources))


def _body(**values: Any) -> bytes:
    return json.dumps(values).encode()


def _wrong_type(rng: random.Random) -> bytes:
    value: Any = rng.choice(
        [None, 5, 1.5, True, {}, {"a": 1}, [1], [None], [["a"]], "text", "", []]
    )
    key = rng.choice(["sources", "options", "n_best", "attention", "stream", "search", "model"])
    fits: dict[str, Callable[[Any], bool]] = {
        "sources": lambda value: value == ["text"],
        "options": lambda value: value == {},
        "n_best": lambda value: value is not True and value == 1,
        "search": lambda value: value is None,
        "model": lambda value: value is None,
        "attention": lambda value: isinstance(value, bool),
        "stream": lambda value: isinstance(value, bool),
    }
    if fits[key](value):
        value = {"wrong": [value]} if key != "options" else [value]
    return post("/generate", _body(**{"sources": ["a"], key: value}))


def _cut(rng: random.Random) -> bytes:
    body = _body(sources=["a b c"], n_best=1)
    return post(rng.choice(["/generate", "/score"]), body[: rng.randrange(1, len(body))])


def _bad_option(rng: random.Random) -> bytes:
    search, options = rng.choice(
        [
            ("beam", {"width": 0}),
            ("beam", {"width": 10**6}),
            ("beam", {"width": 10**30}),
            ("beam", {"width": "5"}),
            ("beam", {"alpha": 1e308}),
            ("beam", {"length_penalty": "x" * 10_000}),
            ("beam", {"_target_": "os.system"}),
            ("constrained", {}),
            ("constrained", {"required": [{"_target_": "os.system", "command": "true"}]}),
            ("constrained", {"required": [[10**20]]}),
            ("constrained", {"required": [[4] * 5000]}),
            ("sampling", {"temperature": 0}),
            ("sampling", {"top_p": 0}),
            ("sampling", {"seed": -1}),
            ("sampling", {"num_samples": 10**9}),
            ("diverse", {"width": 7, "groups": 3}),
            ("os.system", {}),
            ("../../etc/passwd", {}),
            ("${oc.env:HOME}", {}),
        ]
    )
    return post("/generate", _body(sources=["a"], search=search, options=options))


def _bad_text(rng: random.Random) -> bytes:
    text = rng.choice(['"\\ud800"', '"a\\u0000b"', '""', '"   "', '"\\udfff\\ud800"'])
    return post("/generate", b'{"sources": [%s]}' % text.encode())


def _number(rng: random.Random) -> bytes:
    text = rng.choice(["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-1", "0", "1.5"])
    return post("/generate", b'{"sources": ["a"], "n_best": %s}' % text.encode())


def _path(rng: random.Random) -> bytes:
    path = rng.choice(
        [
            "/../../etc/passwd",
            "/static/../server.py",
            "/static/..%2f..%2fserver.py",
            "/static/%2e%2e/app.py",
            "/static//etc/passwd",
            "/models/..%2f..%2f/examples",
            "/models/%00/examples",
            "/nothing",
            f"/{'a' * 5000}",
            "/%ff%fe",
        ]
    )
    return f"GET {path} HTTP/1.1\r\n{HEADERS}\r\n".encode()


def _method(rng: random.Random) -> bytes:
    method = rng.choice(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "GET"])
    return f"{method} /generate HTTP/1.1\r\n{HEADERS}\r\n".encode()


def _headers(rng: random.Random) -> bytes:
    headers = rng.choice(
        [
            "Host: evil.example\r\nContent-Type: application/json\r\n",
            "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\nContent-Type: application/json\r\n",
            "Host: 127.0.0.1\r\nContent-Type: text/plain\r\n",
            "Host: 127.0.0.1\r\n",
            "Host: [::1\r\nContent-Type: application/json\r\n",
        ]
    )
    return post("/generate", _body(sources=["a"]), headers)


KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "random bytes": lambda rng: rng.randbytes(rng.randrange(20, 2000)) + b"\r\n\r\n",
    "random body": lambda rng: post("/generate", rng.randbytes(rng.randrange(1, 5000))),
    "cut off": _cut,
    "wrong type": _wrong_type,
    "unknown key": lambda rng: post("/score", _body(sources=["a"], targets=["b"], path="/etc")),
    "unequal": lambda rng: post(
        "/score", _body(sources=["a"] * rng.randrange(2, 9), targets=["b"])
    ),
    "deep": lambda rng: post("/generate", b'{"sources": ' + b"[" * rng.randrange(50, DEEP)),
    "deep and whole": lambda rng: post(
        "/inspect", b'{"source": "a", "options": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}"
    ),
    "huge": lambda rng: post("/generate", b'{"sources": ["' + b"a" * HUGE + b'"]}'),
    "long": lambda rng: post("/generate", _body(sources=["a " * rng.randrange(2000, 90_000)])),
    "many": lambda rng: post("/generate", _body(sources=["a"] * rng.randrange(65, 9000))),
    "no model": lambda rng: post("/generate", _body(sources=["a"], model="../../etc")),
    "option": _bad_option,
    "text": _bad_text,
    "number": _number,
    "path": _path,
    "method": _method,
    "headers": _headers,
    "prefix": lambda rng: post("/inspect", _body(source="a", prefix=[rng.choice([-1, 10**30, 0])])),
}


async def send_malformed(port: int, count: int, seed: int) -> Counter[tuple[str, int]]:
    """How many bad requests of each kind got which status."""
    rng = random.Random(seed)
    _, listed, _ = await ask(port, b"GET /models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    models = json.loads(listed)["models"]
    file_models = [model["name"] for model in models if model["media"] != "text"]
    answers: Counter[tuple[str, int]] = Counter()
    for _ in range(count):
        kind, request = malformed(rng, file_models)
        status, body, (_, writer) = await asyncio.wait_for(ask(port, request), 60)
        writer.close()
        answers[kind, status] += 1
        if not 400 <= status < 500:
            print(f"{kind}: {status} {body[:300]!r} for {request[:300]!r}", flush=True)
    status, *_ = await ask(port, post("/generate", _body(sources=["a"])))
    if status != 200:
        raise SystemExit(f"After them a good request is answered {status}.")
    return answers


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--search", default=None, help="greedy, beam ...; none: as in training")
    parser.add_argument("--malformed", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.seconds:
        measure(options.runs[0], options)
        measure(options.runs[0], options, "window_ms=0")
        measure(options.runs[0], options, "window_ms=0", "max_batch=1")
    with server(options.runs) as (port, process):
        asyncio.run(send_malformed(port, 50, options.seed + 1))
        before = memory(process)
        answers = asyncio.run(send_malformed(port, options.malformed, options.seed))
        print(f"{options.malformed} malformed requests, {before:.0f} -> {memory(process):.0f} MB")
    for (kind, status), count in sorted(answers.items()):
        print(f"  {kind:16} {status} {count:5}")


if __name__ == "__main__":
    main()
