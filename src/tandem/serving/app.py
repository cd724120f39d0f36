"""The paths of the server, as an ASGI app."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from tandem import __version__
from tandem.core.errors import InputError
from tandem.core.page_style import PAGE_STYLE
from tandem.serving.batching import FAILED, Batches
from tandem.serving.bodies import Body, GenerateBody, InspectBody, ScoreBody, read_body
from tandem.serving.errors import RequestError
from tandem.serving.examples import examples_of
from tandem.serving.guard import Guard, error_answer
from tandem.serving.limits import Limits
from tandem.serving.metrics import Metrics
from tandem.serving.preparing import Preparation
from tandem.serving.receiving import JSON, Admission, Deadline, receive_body, unless_gone
from tandem.serving.served_model import ServedModel
from tandem.serving.tasks import ModelTask

logger = logging.getLogger(__name__)

PAGES = Path(__file__).parent / "pages"
PATHS = (
    *("/", "/look", "/docs", "/openapi.json"),
    *("/generate", "/score", "/inspect", "/models", "/health", "/metrics"),
)
"""Those that are counted under their own names."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "the body is no JSON"},
    403: {"description": "a page of another site asks"},
    404: {"description": "there is no such model"},
    408: {"description": "the body does not come in time"},
    413: {"description": "the body, a source or their number is too large"},
    415: {"description": "the body is not called JSON"},
    421: {"description": "the name of the server is not its own"},
    422: {"description": "a value is not what it must be"},
    500: {"description": "the model failed; the next request is answered"},
    503: {"description": "the server is busy; send the request again later"},
    504: {"description": "the work took too long and was given up"},
}
"""Statuses of ``{"error": "one sentence"}``."""
READERS = 2
"""Threads that check requests and read their sources."""
Made = TypeVar("Made")


class Service:
    """What the paths do.

    :param models: by their names, the first of which is meant if none is named.
    :param sentence: the message of an error with remedies that whoever sends a request has.
    """

    def __init__(
        self,
        models: Mapping[str, ServedModel],
        limits: Limits,
        sentence: Callable[[InputError], str],
    ) -> None:
        self.models, self.limits = models, limits
        self.prepare = Preparation(models, limits, sentence)
        self.metrics = Metrics(lambda: len(self.batches))
        self.batches = Batches(limits, self.metrics.batches.observe)
        self.admit = Admission(limits)
        self.readers = ThreadPoolExecutor(READERS, "tandem-readers")

    def close(self) -> None:
        """End all threads."""
        self.batches.close()
        self.readers.shutdown(cancel_futures=True)

    async def generate(self, request: Request) -> Response:
        """``POST /generate``."""
        with self.admit() as deadline:
            start = time.monotonic()
            body = await self._body(request, GenerateBody, deadline)
            if body.stream:
                return await self._stream(body)
            task = await self._aside(lambda: self.prepare.generation(body))
            outputs = await unless_gone(request, self.batches.answer(task, deadline.rest))
            self._count(task, sum(len(one["tokens"]) for ones in outputs for one in ones))
            seconds = round(time.monotonic() - start, 4)
            return answer({"model": task.model.name, "outputs": outputs, "seconds": seconds})

    async def _stream(self, body: GenerateBody) -> Response:
        """Server-sent events, which have a place and a time of their own."""
        loop, events = asyncio.get_running_loop(), asyncio.Queue[dict[str, Any]]()

        def tell(event: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        task = await self._aside(lambda: self.prepare.stream(body, tell))

        async def written() -> AsyncIterator[str]:
            try:
                with self.admit() as deadline:
                    work = asyncio.ensure_future(self.batches.answer(task, deadline.rest))
                    work.add_done_callback(lambda _: events.put_nowait({}))
                    try:
                        while event := await events.get():
                            yield _event(event)
                        last = work.result()
                        self._count(task, len(last["tokens"]))
                        yield _event(last)
                    finally:
                        work.cancel()
            except RequestError as error:
                yield f"data: {error_answer(error.status, str(error)).decode()}\n\n"

        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(written(), media_type="text/event-stream", headers=headers)

    async def score(self, request: Request) -> Response:
        """``POST /score``."""
        with self.admit() as deadline:
            body = await self._body(request, ScoreBody, deadline)
            task = await self._aside(lambda: self.prepare.scoring(body))
            scores = await unless_gone(request, self.batches.answer(task, deadline.rest))
            self._count(task, 0)
            return answer({"model": task.model.name, "scores": scores})

    async def inspect(self, request: Request) -> Response:
        """``POST /inspect``."""
        with self.admit() as deadline:
            body = await self._body(request, InspectBody, deadline)
            task = await self._aside(lambda: self.prepare.inspecting(body))
            record = await unless_gone(request, self.batches.answer(task, deadline.rest))
            self._count(task, len(record["output"]["ids"]))
            return answer(record)

    def described(self) -> dict[str, Any]:
        """``GET /models``."""
        return {"models": [self.prepare.described(model) for model in self.models.values()]}

    async def examples(self, name: str) -> Response:
        """``GET /models/NAME/examples``."""
        model = self.prepare.model(name)
        return answer({"examples": await self._aside(lambda: examples_of(model))})

    async def _body(self, request: Request, kind: type[Body], deadline: Deadline) -> Any:
        content = await receive_body(request, self.limits, deadline)
        return await self._aside(lambda: read_body(content, kind))

    async def _aside(self, make: Callable[[], Made]) -> Made:
        """What takes a while to make, on a thread beside that of the connections."""
        return await asyncio.get_running_loop().run_in_executor(self.readers, make)

    def _count(self, task: ModelTask, written: int) -> None:
        self.metrics.symbols.add(sum(task.lengths), task.model.name, "read")
        self.metrics.symbols.add(written, task.model.name, "written")


def make_app(service: Service, *, hosts: Collection[str]) -> ASGIApp:
    """The app with all paths.

    :param hosts: names under which the server is asked, beside addresses.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="Tandem", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    for path, page in (("/", "try.html"), ("/look", "look.html"), ("/docs", "docs.html")):
        app.add_api_route(path, _page(PAGES / page), include_in_schema=False)
    app.add_api_route(f"/static/{PAGE_STYLE.name}", _page(PAGE_STYLE), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=PAGES, check_dir=False))
    _add_api(app, service)

    @app.exception_handler(RequestError)
    async def refuse(request: Request, error: RequestError) -> Response:
        content = error_answer(error.status, str(error))
        return Response(content, error.status, error.headers, media_type=JSON)

    @app.exception_handler(Exception)
    async def fail(request: Request, error: Exception) -> Response:
        return Response(error_answer(500, FAILED), 500, media_type=JSON)

    @app.exception_handler(HTTPException)
    async def refuse_path(request: Request, error: HTTPException) -> Response:
        sentence = f"{request.method[:20]} {request.url.path[:100]} is no path of this server"
        content = error_answer(error.status_code, f"{sentence}; GET /docs lists them.")
        return Response(content, error.status_code, error.headers, media_type=JSON)

    return Guard(app, hosts=hosts, paths=PATHS, metrics=service.metrics)


def _add_api(app: FastAPI, service: Service) -> None:
    """The paths that programs ask."""
    for name, kind, call, summary in (
        ("generate", GenerateBody, service.generate, "Outputs for sources"),
        ("score", ScoreBody, service.score, "How probable given targets are"),
        ("inspect", InspectBody, service.inspect, "All that a model computes for one source"),
    ):
        app.add_api_route(
            f"/{name}",
            call,
            methods=["POST"],
            summary=summary,
            description="",
            responses=REFUSALS,
            openapi_extra=_documented(kind),
        )

    @app.get("/models", summary="The models, their searches and the options of these")
    async def models() -> Response:
        return answer(service.described())

    @app.get("/models/{name}/examples", summary="Some sources of the model's test split")
    async def examples(name: str) -> Response:
        return await service.examples(name)

    @app.get("/health", summary="Whether the server answers")
    async def health() -> Response:
        return answer({"status": "ok"})

    @app.get("/metrics", summary="Counts in the text format of Prometheus")
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")


def _documented(kind: type[Body]) -> dict[str, Any]:
    """What the OpenAPI page says of a body."""
    schema = kind.model_json_schema()
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}


def _page(path: Path) -> Callable[[], Response]:
    def page() -> Response:
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    return page


def answer(content: dict[str, Any]) -> Response:
    """JSON, in which nothing is that JSON does not have."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return Response(text, media_type=JSON, headers={"Cache-Control": "no-store"})


def _event(event: dict[str, Any]) -> str:
    return f"data: {json.dumps(event, ensure_ascii=False, allow_nan=False)}\n\n"
