"""Users of the local database: each function logs in as one of its own, as in a project, and may do no more there.

So every run of the local cloud shows that the grants of sql/postgres/roles are enough; what they refuse is tested.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, urlsplit

from local.stack import PROJECT
from local.table import read_table
from shared.adapters.database_roles import grant_roles
from shared.adapters.postgres import Session

WsgiApp = Callable[..., Iterable[bytes]]


def user_of(function: str) -> str:
    """The name that Terraform gives the function's user: its service account without `.gserviceaccount.com`."""
    return f"fn-{function.replace('_', '-')}@{PROJECT}.iam"


def make_users(session: Session) -> None:
    """Create the users that are missing and give each its role. Needs a superuser; another session is left alone."""
    if not session.row("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0]:
        return
    members = {f.name: [user_of(f.name)] for f in read_table().functions if "database_client" in f.roles}
    known = {row[0] for row in session.rows("SELECT rolname FROM pg_roles")}
    for (user,) in members.values():
        if user not in known:
            session.rows(f'CREATE ROLE "{user}" LOGIN')
    grant_roles(session, members)


def as_own_user(app: WsgiApp, function: str) -> WsgiApp:
    """The function with its own user in DATABASE_URL, for the time of a request: a worker takes one at a time."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        before = os.environ["DATABASE_URL"]
        os.environ["DATABASE_URL"] = url_of(before, function)
        try:
            return app(environ, start_response)
        finally:
            os.environ["DATABASE_URL"] = before

    return call


def url_of(url: str, function: str) -> str:
    """The same database for the function's user."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{quote(user_of(function), safe='')}@{parts.netloc.rpartition('@')[2]}").geturl()
