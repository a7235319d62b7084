"""Errors in the shape BigQuery gives them.

Every refusal leaves this program as `{"error": {"code", "message", "errors": [{"reason", ...}]}}`, because the client
library decides by `reason` whether to retry, to look for the job, or to raise.
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal with the HTTP code and the reason a client reads."""

    def __init__(self, code: int, reason: str, message: str, location: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.location = location

    def proto(self) -> dict[str, Any]:
        """The error as jobs carry it (`status.errorResult`)."""
        body: dict[str, Any] = {"reason": self.reason, "message": self.message}
        if self.location is not None:
            body["location"] = self.location
        return body

    def body(self) -> dict[str, Any]:
        """The error as an HTTP answer carries it."""
        item = {**self.proto(), "domain": "global"}
        return {"error": {"code": self.code, "message": self.message, "errors": [item], "status": STATUS[self.code]}}


STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}

CODE_OF_REASON = {
    "notFound": 404,
    "duplicate": 409,
    "backendError": 503,
    "internalError": 500,
    "bytesBilledLimitExceeded": 400,
    "conditionNotMet": 412,
    "stopped": 499,
    "responseTooLarge": 403,
}
STATUS[499] = "CANCELLED"


def not_found(what: str, name: str) -> ApiError:
    """A dataset, table or job that is not there."""
    return ApiError(404, "notFound", f"Not found: {what} {name}")


def already_exists(what: str, name: str) -> ApiError:
    """A dataset, table or job of that name is there already."""
    return ApiError(409, "duplicate", f"Already Exists: {what} {name}")


def invalid(message: str, location: str | None = None) -> ApiError:
    """A request that can not be right."""
    return ApiError(400, "invalid", message, location)


def invalid_query(message: str) -> ApiError:
    """A statement that BigQuery would refuse too."""
    return ApiError(400, "invalidQuery", message, "query")


def unsupported(what: str, instead: str) -> ApiError:
    """Something BigQuery does and this stand-in does not; an error is better than a different answer."""
    return ApiError(400, "invalid", f"{what} is not supported by the local warehouse: {instead}")
