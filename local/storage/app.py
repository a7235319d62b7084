"""The addresses of the JSON API and who answers them.

Paths are matched on their raw segments: an object name carries its slashes as %2F, and only the raw path tells
them from the slashes of the address.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from local.storage import batch, buckets, listing, object_routes, resumable, uploads
from local.storage.errors import ApiError, not_found, not_supported
from local.storage.service import Handler, Service, refuse_unsupported

logger = logging.getLogger("local.storage")

BUCKETS = "/storage/v1/b"
BUCKET = "/storage/v1/b/*"
OBJECTS = "/storage/v1/b/*/o"
OBJECT = "/storage/v1/b/*/o/*"
UPLOAD = "/upload/storage/v1/b/*/o"

ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", BUCKETS, buckets.insert),
    ("GET", BUCKETS, buckets.list_all),
    ("GET", BUCKET, buckets.get),
    ("PATCH", BUCKET, buckets.patch),
    ("PUT", BUCKET, buckets.patch),
    ("DELETE", BUCKET, buckets.delete),
    ("GET", f"{BUCKET}/storageLayout", buckets.layout),
    ("GET", "/storage/v1/projects/*/serviceAccount", buckets.service_account),
    ("POST", f"{BUCKET}/notificationConfigs", buckets.insert_notification),
    ("GET", f"{BUCKET}/notificationConfigs", buckets.list_notifications),
    ("GET", f"{BUCKET}/notificationConfigs/*", buckets.get_notification),
    ("DELETE", f"{BUCKET}/notificationConfigs/*", buckets.delete_notification),
    ("GET", OBJECTS, listing.list_objects),
    ("POST", OBJECTS, uploads.insert_empty),
    ("GET", OBJECT, object_routes.get),
    ("PATCH", OBJECT, object_routes.patch),
    ("PUT", OBJECT, object_routes.patch),
    ("DELETE", OBJECT, object_routes.delete),
    ("POST", f"{OBJECT}/copyTo/b/*/o/*", object_routes.copy),
    ("POST", f"{OBJECT}/rewriteTo/b/*/o/*", object_routes.rewrite),
    ("POST", f"{OBJECT}/compose", object_routes.compose),
    ("GET", "/download/storage/v1/b/*/o/*", object_routes.media),
    ("POST", UPLOAD, uploads.upload),
    ("PUT", UPLOAD, resumable.proceed),
    ("DELETE", UPLOAD, resumable.cancel),
]

TABLE: dict[tuple[str, int], list[tuple[list[str], Handler]]] = defaultdict(list)
for _method, _path, _handler in ROUTES:
    TABLE[_method, _path.count("/")].append((_path.split("/"), _handler))


def find(method: str, raw_path: str) -> tuple[Handler, list[str]]:
    """The handler of an address and the decoded values of its stars."""
    segments = raw_path.rstrip("/").split("/")
    for pattern, handler in TABLE.get((method, len(segments) - 1), ()):
        if all(want in ("*", have) for want, have in zip(pattern, segments, strict=True)):
            values = [unquote(have) for want, have in zip(pattern, segments, strict=True) if want == "*"]
            return handler, values
    if raw_path.startswith(("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/")):
        raise not_supported(f"{method} {raw_path} (object names carry their slashes as %2F)")
    raise not_found(f"No such address: {method} {raw_path}")


async def drain(request: Request) -> None:
    """Take the rest of a body that is refused: a client that is still sending would not see the answer."""
    with suppress(ClientDisconnect, RuntimeError):  # the latter: nothing is left
        async for _ in request.stream():
            pass


async def dispatch(service: Service, request: Request) -> Response:
    """Answer one request, refusals included."""
    try:
        refuse_unsupported(request)
        handler, values = find(request.method, request.scope["raw_path"].decode())
        return await handler(service, request, *values)
    except ApiError as error:
        await drain(request)
        return error.response()
    except ClientDisconnect:
        return Response(status_code=499)
    except Exception:
        logger.exception("request failed: %s %s", request.method, request.scope["path"])
        message = "the storage stand-in failed; its log on stderr says why"
        return ApiError(500, "internalError", message).response()


def create_app(service: Service) -> Starlette:
    """The ASGI application around one open service, which it closes at the end."""

    async def endpoint(request: Request) -> Response:
        if request.method == "POST" and request.scope["path"].startswith("/batch"):
            try:
                return await batch.run(service, request, dispatch)
            except ApiError as error:
                return error.response()
        return await dispatch(service, request)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", endpoint, methods=methods)], lifespan=lifespan)
