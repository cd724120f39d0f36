"""A server of small models that were never trained, asked without a port."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tandem.commands.serve import part_names, search_kinds
from tandem.inference import load_bundle
from tandem.serving.app import Service, make_app
from tandem.serving.limits import Limits
from tandem.serving.served_model import ServedModel

SmallBundle = Callable[..., Path]
Serve = Callable[..., TestClient]

LIMITS = {
    "max_body": 10_000,
    "max_sources": 4,
    "max_source_length": 10,
    "max_width": 8,
    "max_requests": 3,
    "timeout": 20.0,
    "window_ms": 0.0,
    "max_batch": 4,
    "max_tokens": 100,
}


@pytest.fixture
def served(small_bundle: SmallBundle) -> Iterator[Callable[..., Service]]:
    """Make a service of bundles by their names."""
    with ExitStack() as stack:

        def make(*folders: Path, **limits: Any) -> Service:
            kinds = search_kinds()
            models = {
                folder.name: ServedModel.of(
                    folder.name, load_bundle(folder), folder, kinds, part_names()
                )
                for folder in (folders or (small_bundle("mine"),))
            }
            service = Service(models, Limits(**{**LIMITS, **limits}), str)
            stack.callback(service.close)
            return service

        yield make


@pytest.fixture
def client(served: Callable[..., Service]) -> Serve:
    """Ask a service over HTTP without a port."""

    def ask(service: Service | None = None) -> TestClient:
        app = make_app(service or served(), hosts=["localhost"])
        return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)

    return ask
