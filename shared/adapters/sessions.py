"""The database session of a function: one for each process, kept between invocations, dropped when it failed.

The functions that use it run with concurrency 1, so an invocation has it to itself. It is tested before it is lent:
a connection that died while the instance slept is replaced without an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.adapters.postgres import Session, connect
from shared.settings import Settings

_kept: dict[str, Session] = {}


@contextmanager
def session(settings: Settings) -> Iterator[Session]:
    """Lend the process's session. After an error of any kind it is closed, which frees its locks."""
    key = settings.cloudsql_instance or settings.database_url
    lent = _still_there(_kept.pop(key, None)) or connect(settings, application_name="sluice")
    try:
        yield lent
    except BaseException:
        lent.close()
        raise
    _kept[key] = lent


def _still_there(kept: Session | None) -> Session | None:
    """The session if it answers, else it is closed."""
    if kept is None:
        return None
    try:
        kept.rows("SELECT 1")
    except Exception:  # whatever it is, a new session has it or does not
        kept.close()
        return None
    return kept
