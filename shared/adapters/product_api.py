"""The product API of the shop: pages, retried by tenacity with exponential backoff and jitter; Retry-After is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Annotated

import httpx
import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from shared.adapters.identity_token import IdentityToken
from shared.adapters.tls import certificates
from shared.errors import ConfigError, DependencyUnavailable, Throttled

TIMEOUT_SECONDS = 30.0
PAGE_SECONDS = 600.0
"""For one page with all its tries, where the deadline of the run is not nearer."""
LEAST_SECONDS = 1.0
"""What a last try has at least, so that its error tells of the API and not of the time."""
MAX_PAGE_BYTES = 64 * 1024 * 1024
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]

_backoff = wait_random_exponential(multiplier=0.2, max=30.0)


class _Body(msgspec.Struct, frozen=True):
    """One answer; the products stay as they were written, so that no price goes through a binary fraction."""

    items: list[msgspec.Raw]
    pages: Count
    total: Count


class Page(msgspec.Struct, frozen=True):
    """One page: each item as the one line of JSON that it came as, and how many pages and products the API tells."""

    lines: list[bytes]
    pages: int
    total: int


class ApiThrottled(Throttled):
    """The API asks to wait; `seconds` is how long, 0 where it does not say."""

    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class ApiUnavailable(DependencyUnavailable):
    """No answer, or one that cannot be used; `seconds` as in ApiThrottled."""

    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class ProductApi:
    """Reads pages of the catalogue; a context manager, as it keeps a connection."""

    def __init__(
        self, url: str, *, audience: str = "", timeout_seconds: float = TIMEOUT_SECONDS,
        page_seconds: float = PAGE_SECONDS,
    ) -> None:  # fmt: skip
        """Where an audience is given, every request has an identity token for it."""
        self._url = url.rstrip("/") + "/products"
        self._timeout = timeout_seconds
        self._page_seconds = page_seconds
        self._client = httpx.Client(
            headers={"Accept": "application/json"},
            auth=IdentityToken(audience) if audience else None,
            verify=certificates(),
        )

    def __enter__(self) -> ProductApi:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def page(
        self,
        number: int,
        *,
        since: datetime | None,
        page_size: int,
        label: str,
        deadline: float,
        not_before: datetime | None = None,
        on_wait: Callable[[datetime], None] = lambda _: None,
    ) -> Page:
        """One page, asked for until it comes whole, but no longer than PAGE_SECONDS and the deadline (monotonic).

        `label` names the run to the API. Nothing is asked before `not_before`; `on_wait` is told until when the API
        wants to be left alone, before it is waited for. Raises ApiThrottled, ApiUnavailable, or ConfigError.
        """
        ends = min(deadline, time.monotonic() + self._page_seconds)
        _wait_for(not_before, ends)
        if time.monotonic() >= ends:
            raise ApiUnavailable("the time for the product API is over")
        params: dict[str, str | int] = {"page": number, "page_size": page_size}
        if since:
            params["updated_since"] = since.isoformat()
        request = self._request(params, label)
        for attempt in Retrying(
            retry=retry_if_exception_type((ApiThrottled, ApiUnavailable)),
            stop=stop_before_delay(max(0.0, ends - time.monotonic())),
            wait=_wait,
            after=lambda state: _tell(state, on_wait),
            reraise=True,
        ):
            with attempt:
                return self._read(request, number, ends)
        raise AssertionError("tenacity returns or raises")

    def _request(self, params: dict[str, str | int], label: str) -> httpx.Request:
        try:
            return self._client.build_request("GET", self._url, params=params, headers={"X-Extraction-Run": label})
        except httpx.InvalidURL as exc:
            raise ConfigError("PRODUCT_API_URL is not the address of an HTTP server") from exc

    def _read(self, request: httpx.Request, number: int, ends: float) -> Page:
        ends = max(ends, time.monotonic() + LEAST_SECONDS)
        request.extensions["timeout"] = httpx.Timeout(min(self._timeout, ends - time.monotonic())).as_dict()
        try:
            answer = self._client.send(request, stream=True)
            try:
                _check_status(answer)
                body = _bounded(answer, ends)
            finally:
                answer.close()
        except httpx.UnsupportedProtocol as exc:
            raise ConfigError("PRODUCT_API_URL is not the address of an HTTP server") from exc
        except httpx.HTTPError as exc:
            raise ApiUnavailable(f"the product API does not answer: {type(exc).__name__}") from exc
        try:
            told = msgspec.json.decode(body, type=_Body)
        except (msgspec.DecodeError, ValueError, RecursionError) as exc:
            raise ApiUnavailable(f"page {number} of the product API is not the JSON of a page") from exc
        lines = [bytes(item).replace(b"\n", b" ").replace(b"\r", b" ") for item in told.items]
        return Page(lines, told.pages, told.total)


def _check_status(answer: httpx.Response) -> None:
    code = answer.status_code
    asked = _seconds(answer.headers.get("Retry-After"))
    if code == 429:
        raise ApiThrottled("the product API asks to wait (429)", asked)
    if code >= 500 or code == 408:
        raise ApiUnavailable(f"the product API answers {code}", asked)
    if code != 200:
        raise ConfigError(f"the product API answers {code}; check PRODUCT_API_URL")


def _bounded(answer: httpx.Response, ends: float) -> bytes:
    """The body; one that drips beyond the time or grows beyond what a page can be is given up."""
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > MAX_PAGE_BYTES:
            raise ApiUnavailable(f"a page of the product API has more than {MAX_PAGE_BYTES} bytes")
        if time.monotonic() > ends:
            raise ApiUnavailable("a page of the product API did not end in time")
    return bytes(body)


def _wait_for(not_before: datetime | None, ends: float) -> None:
    """Wait as an earlier call was asked to."""
    seconds = (not_before - datetime.now(UTC)).total_seconds() if not_before else 0.0
    if seconds > max(0.0, ends - time.monotonic()):
        raise ApiThrottled(f"the product API asks to wait until {not_before:%Y-%m-%d %H:%M:%S} UTC", seconds)
    if seconds > 0:
        time.sleep(seconds)


def _asked(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.seconds if isinstance(error, (ApiThrottled, ApiUnavailable)) else 0.0


def _tell(state: RetryCallState, on_wait: Callable[[datetime], None]) -> None:
    if seconds := _asked(state):
        on_wait(datetime.now(UTC) + timedelta(seconds=seconds))


def _wait(state: RetryCallState) -> float:
    """What the server asked for, and the backoff on top of it."""
    return _asked(state) + _backoff(state)


def _seconds(header: str | None) -> float:
    """Retry-After as seconds, or as a date (RFC 9110, 10.2.3); 0 where there is none."""
    if not header:
        return 0.0
    if re.fullmatch(r"\d{1,9}(\.\d+)?", header):
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
