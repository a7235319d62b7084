"""The errors of the JSON API, in the body that Google's clients read.

Every handler raises ApiError; the dispatcher turns it into a response, so no handler builds an error body itself.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response


class ApiError(Exception):
    """One refusal: HTTP status, Google's reason word and a sentence for the reader."""

    def __init__(self, status: int, reason: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.headers = headers or {}

    def response(self) -> Response:
        """Render the error; 304 has no body by the rules of HTTP."""
        if self.status == 304:
            return Response(status_code=304)
        detail = {"message": self.message, "domain": "global", "reason": self.reason}
        body = {"error": {"code": self.status, "message": self.message, "errors": [detail]}}
        return JSONResponse(body, self.status, self.headers)


def invalid(message: str) -> ApiError:
    """400: the request itself is wrong."""
    return ApiError(400, "invalid", message)


def not_found(message: str) -> ApiError:
    """404: what the request names does not exist."""
    return ApiError(404, "notFound", message)


def no_object(bucket: str, name: str) -> ApiError:
    """404 for an object, in the words of the real service."""
    return not_found(f"No such object: {bucket}/{name}")


def conflict(message: str) -> ApiError:
    """409: the thing exists already, or is not empty."""
    return ApiError(409, "conflict", message)


def condition_not_met() -> ApiError:
    """412: a precondition of the request does not hold."""
    return ApiError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")


def not_modified() -> ApiError:
    """304: a read whose ...NotMatch precondition does not hold."""
    return ApiError(304, "notModified", "Not modified")


def not_supported(what: str) -> ApiError:
    """501: the real service may do this; the stand-in says that it does not."""
    return ApiError(501, "notImplemented", f"not supported here: {what}")
