"""The way to Cloud SQL: the real connector, by the private address, with a certificate, as the function's own user."""

from __future__ import annotations

import functools
import gc
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import google.cloud.sql.connector as connecting
import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from local.database_users import make_users, user_of
from shared.adapters.postgres import Session, connect
from tests.integration.postgres.cloud_sql import Authority, Login, admin_api, tls_proxy
from tests.integration.postgres.target import Target


@pytest.fixture
def instance(tmp_path: Path, target: Target, session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """An instance of Cloud SQL before the test's database, with the users of the functions."""
    make_users(session)
    server = urlsplit(target.database_url)
    authority = Authority(tmp_path)
    try:
        proxy = tls_proxy(authority, tmp_path, server.port or 5432)
    except OSError:
        pytest.skip("port 3307, where the connector looks for Cloud SQL, is taken")
    admin = admin_api(authority, "127.0.0.1")
    endpoint = f"http://127.0.0.1:{admin.server_port}"
    real = functools.partial(connecting.Connector, sqladmin_api_endpoint=endpoint, credentials=Login())  # type: ignore[no-untyped-call]
    monkeypatch.setattr(connecting, "Connector", real)
    yield Target("", "shop:europe-west1:sluice", user_of("load_postgres"), server.path.lstrip("/"))
    admin.shutdown()
    admin.server_close()
    proxy.shutdown(socket.SHUT_RDWR)  # a thread that is accepting would keep the port
    proxy.close()
    gc.collect()  # the connector stops the loop of its thread and leaves it, unclosed, to the garbage collector


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_function_logs_in_by_the_connector_and_has_its_own_rights(instance: Target) -> None:
    opened = connect(instance, "tests")
    assert opened.row("SELECT session_user, current_setting('TimeZone'), current_setting('lock_timeout')") == (
        user_of("load_postgres"), "UTC", "1min",
    )  # fmt: skip
    opened.rows("CREATE TEMP TABLE staged_bad (LIKE pipeline.staged_bad)")
    opened.rows("UPDATE commerce.products SET category = 'toys'")
    with pytest.raises(DatabaseError, match="permission denied"):
        opened.rows("INSERT INTO finance.close_total VALUES ('2026-03-01', 'lines', 'GBP', 1, 1)")
    opened.close()
