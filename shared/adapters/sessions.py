"""The database session of a function: one for each process, kept between invocations, dropped when it failed.

The functions that use it run with concurrency 1, so an invocation has it to itself. It is tested before it is lent:
a connection that died while the instance slept is replaced without an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.adapters.postgres import Session, connect
from shared.errors import DependencyUnavailable
from shared.settings import Settings

_kept: dict[str, Session] = {}


@contextmanager
def session(settings: Settings) -> Iterator[Session]:
    """Lend the process's session. After an error of any kind it is closed, which frees its locks."""
    key = settings.cloudsql_instance or settings.database_url
    lent = _kept.pop(key, None)
    if lent is not None and not _answers(lent):
        lent.close()
        lent = None
    lent = lent or connect(settings, application_name="sluice")
    try:
        yield lent
    except BaseException:
        lent.close()
        raise
    _kept[key] = lent


def _answers(lent: Session) -> bool:
    try:
        lent.rows("SELECT 1")
    except DependencyUnavailable:
        return False
    return True
