"""An order by HTTP: who gives it, its key, its parts, and the answer; shared by the functions that take them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import msgspec
from flask import Request, Response

from shared.callers import Refused, caller
from shared.errors import OrderRefused

MAX_KEY = 200
Ask = TypeVar("Ask")


def answer_order(
    request: Request,
    kind: type[Ask],
    operators: Collection[str],
    carry_out: Callable[[Ask, str, str], object],
    conflicts: Collection[str],
) -> Response:
    """Read the order, let `carry_out(ask, request id, operator)` do it, and answer its result as JSON.

    `conflicts` are the reasons that are about how things stand (409), not about how the order is written (400).
    """
    try:
        operator = caller(dict(request.headers), operators)
        ask, key = _read(request, kind)
        return _answer(200, carry_out(ask, f"{operator}/{key}", operator))
    except Refused as exc:
        return _answer(exc.status, {"error": exc.reason, "told": str(exc)})
    except OrderRefused as exc:
        return _answer(409 if exc.reason in conflicts else 400, {"error": exc.reason, "told": str(exc)})


def _read(request: Request, kind: type[Ask]) -> tuple[Ask, str]:
    """The order and its key. Raises Refused or OrderRefused."""
    if request.method != "POST":
        raise Refused(405, "method", "send the order by POST")
    key = request.headers.get("Idempotency-Key", "")
    if not key.isprintable() or not 1 <= len(key) <= MAX_KEY:
        raise OrderRefused("key_missing", f"the header Idempotency-Key must hold 1 to {MAX_KEY} printable characters")
    try:
        return msgspec.json.decode(request.get_data(), type=kind), key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise OrderRefused("malformed", f"{exc}; see docs/contracts.md") from exc


def _answer(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body) + b"\n", status, mimetype="application/json")
