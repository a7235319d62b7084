"""The product API of the shop: pages, retried by tenacity with exponential backoff and jitter; Retry-After is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay, wait_exponential_jitter

from shared.errors import ConfigError, DependencyUnavailable, Throttled

TIMEOUT_SECONDS = 30.0
BUDGET_SECONDS = 600.0
"""For one page with all its tries; the run as a whole has the function's time."""

_backoff = wait_exponential_jitter(multiplier=0.2, max=30.0, jitter=1.0)


class Page(msgspec.Struct, frozen=True):
    """One answer; the products stay as they were written, so that no price goes through a binary fraction."""

    items: list[msgspec.Raw]
    pages: int
    total: int


class ProductApi:
    """Reads the whole catalogue, or what changed since a time, page by page."""

    def __init__(self, url: str, page_size: int, budget_seconds: float = BUDGET_SECONDS) -> None:
        self._url = url.rstrip("/") + "/products"
        self._page_size = page_size
        self._budget = budget_seconds

    def pages(self, updated_since: datetime | None) -> Iterator[list[bytes]]:
        """The products of each page, each as the one line of JSON that it came as.

        Raises TransientError when a page cannot be had in its budget, and DependencyUnavailable when fewer or more
        products came than the API said there are: a silent truncation.
        """
        page, received, total = 1, 0, 0
        with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
            while True:
                body = self._page(client, page, updated_since)
                received, total = received + len(body.items), body.total
                if body.items:
                    yield [bytes(item).replace(b"\n", b" ").replace(b"\r", b" ") for item in body.items]
                if page >= body.pages or not body.items:
                    break
                page += 1
        if received != total:
            raise DependencyUnavailable(f"the product API said {total} products but sent {received}; trying again")

    def _page(self, client: httpx.Client, page: int, updated_since: datetime | None) -> Page:
        params: dict[str, str | int] = {"page": page, "page_size": self._page_size}
        if updated_since:
            params["updated_since"] = updated_since.isoformat()
        for attempt in Retrying(
            retry=retry_if_exception_type((Throttled, DependencyUnavailable)),
            stop=stop_before_delay(self._budget),
            wait=_wait,
            reraise=True,
        ):
            with attempt:
                return self._get(client, params)
        raise AssertionError("tenacity returns or raises")

    def _get(self, client: httpx.Client, params: dict[str, str | int]) -> Page:
        try:
            answer = client.get(self._url, params=params)
        except httpx.HTTPError as exc:
            raise DependencyUnavailable(f"the product API does not answer: {type(exc).__name__}") from exc
        if answer.status_code == 429:
            raise _RetryAfter("the product API asks to wait", _seconds(answer.headers.get("Retry-After")))
        if answer.status_code >= 500:
            raise _Unavailable(
                f"the product API answers {answer.status_code}", _seconds(answer.headers.get("Retry-After"))
            )
        if answer.status_code != 200:
            raise ConfigError(f"the product API answers {answer.status_code}; check PRODUCT_API_URL")
        try:
            return msgspec.json.decode(answer.content, type=Page)
        except (msgspec.DecodeError, ValueError) as exc:
            raise DependencyUnavailable(f"page {params['page']} of the product API is cut off or not JSON") from exc


class _RetryAfter(Throttled):
    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class _Unavailable(DependencyUnavailable):
    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


def _wait(state: RetryCallState) -> float:
    """The backoff, and never less than what the server asked for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, (_RetryAfter, _Unavailable)) else 0.0
    return max(asked, _backoff(state))


def _seconds(header: str | None) -> float:
    """Retry-After as seconds, or as a date (RFC 9110, 10.2.3); 0 where there is none."""
    if not header:
        return 0.0
    if re.fullmatch(r"\d+(\.\d+)?", header):
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
