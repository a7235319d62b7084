"""The boundary of every function: errors become answers, ids are bound to the log, one closing line is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps

import structlog
from flask import Request, Response
from flask.typing import ResponseReturnValue

from shared.errors import PermanentError, PipelineError, TransientError
from shared.metric_names import Measure
from shared.telemetry import logger


@dataclass(frozen=True)
class Outcome:
    """What one invocation did, for the closing log line; what it measured does not tell two outcomes apart."""

    outcome: str
    rows_in: int = 0
    rows_out: int = 0
    rows_bad: int = 0
    detail: str = ""
    measures: Mapping[Measure, float] = field(default_factory=dict, compare=False)


Handler = Callable[[Request], Outcome | Response]


def boundary(name: str) -> Callable[[Handler], Callable[[Request], ResponseReturnValue]]:
    """Wrap a handler. 2xx acknowledges: done, or permanently bad and recorded. 503 and 500 ask for a retry.

    The message of an error is logged only where it is ours: a foreign one might carry a payload.
    """

    def decorate(handler: Handler) -> Callable[[Request], ResponseReturnValue]:
        @wraps(handler)
        def handle(request: Request) -> ResponseReturnValue:
            started = time.monotonic()
            structlog.contextvars.clear_contextvars()
            structlog.contextvars.bind_contextvars(function=name)
            try:
                result = handler(request)
            except PermanentError as exc:
                return _close(Outcome("refused", detail=f"{exc.reason}: {exc}"), started, status=200)
            except TransientError as exc:
                return _close(Outcome("retry", detail=str(exc)), started, status=503)
            except PipelineError as exc:
                return _close(Outcome("failed", detail=str(exc)), started, status=500)
            except Exception as exc:
                where = _innermost(exc)
                return _close(Outcome("failed", detail=f"{type(exc).__name__} at {where}"), started, status=500)
            if isinstance(result, Response):
                _close(Outcome("answered"), started, status=result.status_code)
                return result
            return _close(result, started, status=200)

        return handle

    return decorate


def _innermost(exc: BaseException) -> str:
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _close(outcome: Outcome, started: float, status: int) -> ResponseReturnValue:
    write = logger().info if status < 300 and outcome.outcome != "refused" else logger().warning
    write(
        "stage_finished",
        outcome=outcome.outcome,
        rows_in=outcome.rows_in,
        rows_out=outcome.rows_out,
        rows_bad=outcome.rows_bad,
        duration_ms=round((time.monotonic() - started) * 1000),
        **{name: round(value, 3) for name, value in outcome.measures.items()},
        **({"detail": outcome.detail} if outcome.detail else {}),
    )
    return {"outcome": outcome.outcome, "detail": outcome.detail}, status
