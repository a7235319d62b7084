"""The shop's product API, simulated: for development only, so that extraction has something to talk to.

Trigger  HTTP GET /products?page=1&page_size=500&updated_since=…     Reads   PRODUCT_API_DATA, an NDJSON object
Writes   nothing      Answers {"items": […], "page": n, "pages": n, "total": n}; 404 for any other path
"""

from __future__ import annotations

import json
import math
from functools import lru_cache

import functions_framework
from flask import Request, Response

from shared.adapters.storage import CloudStorage
from shared.entrypoint import boundary
from shared.errors import ConfigError
from shared.events import parse_time
from shared.settings import load_settings

MAX_PAGE_SIZE = 1000


@functions_framework.http
@boundary("product_api")
def product_api(request: Request) -> Response:
    """Entry point."""
    if request.path.rstrip("/").rpartition("/")[2] != "products":
        return _json({"error": "not found; GET /products"}, 404)
    try:
        page = int(request.args.get("page", "1"))
        size = int(request.args.get("page_size", "500"))
        since = request.args.get("updated_since")
        after = parse_time(since) if since else None
    except ValueError:
        return _json({"error": "page and page_size are whole numbers, updated_since is an RFC 3339 time"}, 400)
    if page < 1 or not 1 <= size <= MAX_PAGE_SIZE:
        return _json({"error": f"page counts from 1, page_size is 1 to {MAX_PAGE_SIZE}"}, 400)
    items = [line for line, updated in _products() if not (after and updated) or parse_time(updated) >= after]
    body = (
        f'{{"items":[{",".join(items[(page - 1) * size : page * size])}],'
        f'"page":{page},"pages":{math.ceil(len(items) / size)},"total":{len(items)}}}'
    )
    return Response(body, mimetype="application/json")


def _products() -> list[tuple[str, str | None]]:
    settings = load_settings()
    bucket, _, name = settings.product_api_data.removeprefix("gs://").partition("/")
    if not name:
        raise ConfigError("PRODUCT_API_DATA must be gs://bucket/object, an NDJSON list of products")
    info = CloudStorage(settings.project).stat(bucket, name)
    return _read(settings.project, bucket, name, info.generation) if info else []


@lru_cache(maxsize=1)
def _read(project: str, bucket: str, name: str, generation: int) -> list[tuple[str, str | None]]:
    """The products as they are written, so that no number is changed on the way, and when each was updated."""
    data = CloudStorage(project).read(bucket, name, generation=generation)
    lines = [line for line in data.decode().splitlines() if line.strip()]
    return [(line, json.loads(line).get("updated_at")) for line in lines]


def _json(body: dict[str, str], status: int) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")
