"""DuckDB's and the translation's exceptions as the errors BigQuery would give."""

from __future__ import annotations

import re

import duckdb

from local.warehouse.errors import ApiError, invalid_query
from local.warehouse.sql import InvalidSql, UnsupportedSql

NOT_NULL = re.compile(r"NOT NULL constraint failed: (?:\S+\.)?(\S+)")
OF_THE_DATA = (
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
    duckdb.TypeMismatchException,
)


def api_error(error: BaseException) -> ApiError:
    """The refusal that a client gets for whatever went wrong while a job ran."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, InvalidSql) and str(error).startswith("Not found: "):
        return ApiError(404, "notFound", str(error))
    if isinstance(error, (InvalidSql, UnsupportedSql)):
        return invalid_query(str(error))
    if isinstance(error, duckdb.ConstraintException) and (found := NOT_NULL.search(str(error))):
        return invalid_query(f"Required field {found[1]} cannot be null")
    if isinstance(error, duckdb.InterruptException):
        return ApiError(499, "stopped", "Job execution was cancelled: User requested cancellation")
    if isinstance(error, duckdb.OutOfMemoryException):
        return ApiError(400, "resourcesExceeded", f"Resources exceeded during query execution: {first_line(error)}")
    if isinstance(error, OF_THE_DATA):
        return invalid_query(first_line(error))
    if isinstance(error, duckdb.Error):
        return invalid_query(f"The local warehouse could not run the statement: {first_line(error)}")
    return ApiError(
        500, "internalError", f"The local warehouse failed ({type(error).__name__}); its log has the details."
    )


def first_line(error: BaseException) -> str:
    """What happened, without DuckDB's excerpt of a SQL text that the client never wrote."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return re.sub(r"^[A-Z][\w ]+ Error: ", "", text)
