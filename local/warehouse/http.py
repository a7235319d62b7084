"""The HTTP face: one application, every answer JSON, every refusal in BigQuery's shape.

Handlers are plain functions of a `Call`; they run on threads, because DuckDB blocks.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import anyio
import msgspec
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.warehouse import discovery, http_datasets, http_jobs, http_tables, uploads
from local.warehouse.calls import Call
from local.warehouse.errors import ApiError, invalid
from local.warehouse.faults import api_error
from local.warehouse.service import Warehouse

logger = logging.getLogger(__name__)
Handler = Callable[[Call], dict[str, Any] | None]
Endpoint = Callable[[Request], Awaitable[Response]]
THREADS = 128
PREFIX = "/bigquery/v2/projects"
DISCOVERY = ("/$discovery/rest", "/discovery/v1/apis/bigquery/v2/rest")


class Answer(JSONResponse):
    """JSON by msgspec, which writes the rows of a query much faster than json."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return msgspec.json.encode(content)


@dataclass
class Face:
    """Turns handlers into endpoints."""

    warehouse: Warehouse

    def __post_init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(THREADS)

    async def call(self, request: Request) -> Call:
        """The request as handlers see it."""
        text = await request.body()
        try:
            body = json.loads(text) if text else {}
        except ValueError as error:
            raise invalid("The request body is not JSON") from error
        names = {key: unquote(value) for key, value in request.path_params.items()}
        return Call(self.warehouse, names, dict(request.query_params), body, request.headers.get("if-match"))

    def plain(self, handler: Handler) -> Endpoint:
        """An endpoint that answers what its handler gives."""

        async def endpoint(request: Request) -> Response:
            try:
                call = await self.call(request)
                answer = await to_thread.run_sync(handler, call, limiter=self._limiter)
            except Exception as error:
                return refusal(error)
            return Response(status_code=204) if answer is None else Answer(answer)

        return endpoint

    def waiting(self, handler: http_jobs.AsyncHandler) -> Endpoint:
        """An endpoint that may wait for a job without holding a thread."""

        async def endpoint(request: Request) -> Response:
            try:
                return Answer(await handler(await self.call(request), self._limiter))
            except Exception as error:
                return refusal(error)

        return endpoint


def refusal(error: Exception) -> Response:
    """Any failure as an answer."""
    failure = api_error(error)
    if failure.code >= 500:
        logger.exception("request failed", exc_info=error)
    return JSONResponse(failure.body(), failure.code)


async def discover(request: Request) -> Response:
    """The document that tells `bq` what can be called."""
    return JSONResponse(discovery.document(str(request.base_url)))


async def unknown_path(request: Request, _error: Exception) -> Response:
    """A path or method that is not served: named, so that the missing feature is plain."""
    where = f"{request.method} {request.url.path}"
    return refusal(ApiError(404, "notFound", f"{where} is not served by the local warehouse"))


def build(warehouse: Warehouse) -> Starlette:
    """The application over a warehouse."""
    face = Face(warehouse)
    routes: list[Route] = []
    for method, path, handler in (*http_datasets.ROUTES, *http_tables.ROUTES, *http_jobs.ROUTES):
        routes.append(Route(PREFIX + path, face.plain(handler), methods=[method]))
    for method, path, waiting in http_jobs.WAITING_ROUTES:
        routes.append(Route(PREFIX + path, face.waiting(waiting), methods=[method]))
    routes += [Route(path, discover) for path in DISCOVERY]
    routes.append(Route("/bigquery/v2/projects", face.plain(http_datasets.projects)))
    routes += uploads.routes(warehouse, refusal)
    return Starlette(routes=routes, exception_handlers={404: unknown_path, 405: unknown_path})
