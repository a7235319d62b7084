"""The boundary of a function: the class of an error decides the answer; one closing line tells what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Request, Response
from structlog.contextvars import bind_contextvars, get_contextvars
from structlog.testing import capture_logs
from werkzeug.test import EnvironBuilder

from shared.entrypoint import Outcome, boundary
from shared.errors import (
    ConfigError,
    DependencyUnavailable,
    FeedStopped,
    Inconsistent,
    LockTimeout,
    MalformedRecord,
    PipelineError,
    Throttled,
    UnsupportedFile,
)
from shared.telemetry import logger

PAYLOAD = "ada@example.com"
"""Stands for what a foreign error may carry and no log may show."""


def answer(handler: Callable[[Request], Outcome | Response]) -> tuple[Any, dict[str, Any]]:
    """What the function answers, and its one closing line."""
    logger()  # configured at first use, which would undo the capture
    with capture_logs() as lines:
        result = boundary("try_out")(handler)(Request(EnvironBuilder().get_environ()))
    (line,) = lines
    assert line["event"] == "stage_finished"
    assert isinstance(line["duration_ms"], int)
    return result, dict(line)


def failing(error: BaseException) -> Callable[[Request], Outcome]:
    def handler(_: Request) -> Outcome:
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "status", "outcome", "detail"),
    [
        (MalformedRecord("malformed_json", "row 3 is torn"), 200, "refused", "malformed_json: row 3 is torn"),
        (UnsupportedFile("empty_file", "no header"), 200, "refused", "empty_file: no header"),
        (DependencyUnavailable("Postgres does not answer"), 503, "retry", "Postgres does not answer"),
        (Throttled("slower, please"), 503, "retry", "slower, please"),
        (LockTimeout("busy"), 503, "retry", "busy"),
        (Inconsistent("counts", "3 rows sent, 2 found"), 500, "failed", "3 rows sent, 2 found"),
        (FeedStopped("other_cluster", "order a full re-feed"), 500, "failed", "order a full re-feed"),
        (ConfigError("LAKE_BUCKET is not set"), 500, "failed", "LAKE_BUCKET is not set"),
        (PipelineError("something of ours"), 500, "failed", "something of ours"),
    ],
)
def test_an_error_of_ours_is_answered_by_its_class_and_told(
    error: PipelineError, status: int, outcome: str, detail: str
) -> None:
    (body, code), line = answer(failing(error))
    assert code == status
    assert body["outcome"] == line["outcome"] == outcome
    assert detail in body["detail"]
    assert detail in line["detail"]
    assert line["log_level"] == "warning"


@pytest.mark.parametrize(
    "error", [ValueError(PAYLOAD), KeyError(PAYLOAD), RuntimeError({"email": PAYLOAD}), RecursionError(PAYLOAD)]
)
def test_an_unknown_error_asks_for_a_retry_and_its_message_is_never_shown(error: Exception) -> None:
    (body, code), line = answer(failing(error))
    assert (code, body["outcome"], line["outcome"], line["log_level"]) == (500, "failed", "failed", "warning")
    assert PAYLOAD not in str((body, line))
    assert line["detail"].startswith(type(error).__name__)
    assert "test_entrypoint.py:" in line["detail"]


def test_the_cause_behind_an_error_of_ours_is_not_shown() -> None:
    def handler(_: Request) -> Outcome:
        try:
            raise ValueError(PAYLOAD)
        except ValueError as exc:
            raise DependencyUnavailable("the API answers nonsense") from exc

    (body, code), line = answer(handler)
    assert code == 503
    assert PAYLOAD not in str((body, line))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_stop_of_the_process_is_not_held_up(stop: type[BaseException]) -> None:
    with pytest.raises(stop):
        answer(failing(stop()))


def test_what_was_done_is_answered_and_logged_with_its_counts() -> None:
    (body, code), line = answer(lambda _: Outcome("validated", 5, 3, 2))
    assert (body, code) == ({"outcome": "validated", "detail": ""}, 200)
    assert (line["outcome"], line["rows_in"], line["rows_out"], line["rows_bad"]) == ("validated", 5, 3, 2)
    assert line["log_level"] == "info"
    assert "detail" not in line


@pytest.mark.parametrize(("status", "level"), [(200, "info"), (404, "warning"), (500, "warning")])
def test_an_answer_of_the_handlers_own_goes_out_as_it_is(status: int, level: str) -> None:
    sent = Response("page", status=status)
    result, line = answer(lambda _: sent)
    assert result is sent
    assert (line["outcome"], line["log_level"]) == ("answered", level)


def test_every_line_of_a_call_names_the_function_and_nothing_of_the_call_before() -> None:
    seen: list[dict[str, Any]] = []

    def handler(_: Request) -> Outcome:
        seen.append(get_contextvars())
        bind_contextvars(chunk_id="c")
        return Outcome("done")

    answer(handler)
    answer(handler)
    assert seen == [{"function": "try_out"}] * 2


def test_the_function_keeps_its_name_by_which_the_framework_finds_it() -> None:
    @boundary("validate")
    def validate(_: Request) -> Outcome:
        """One page."""
        return Outcome("done")

    assert (validate.__name__, validate.__doc__) == ("validate", "One page.")
