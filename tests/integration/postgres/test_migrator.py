"""Migrations and grants by a migrator as it is on Cloud SQL, where nobody is a superuser."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from local.database_users import url_of, user_of
from local.postgres import LocalPostgres
from local.table import read_table
from shared.adapters.database_roles import grant_roles
from shared.adapters.migrations import migrate
from shared.adapters.postgres import connect
from tests.integration.postgres.target import Target

CLIENTS = sorted(function.name for function in read_table().functions if "database_client" in function.roles)
MIGRATOR = "sluice-migrate"


@pytest.fixture
def cloud_sql() -> Iterator[Target]:
    """A database as Cloud SQL has it, for the migrator: no superuser, its owner is a role that may make roles."""
    if "DATABASE_URL" in os.environ:
        pytest.skip("it needs a server whose roles it may make up; DATABASE_URL names one that others use")
    home = Path(tempfile.mkdtemp(prefix="sluice-test-postgres-", dir="/var/tmp"))
    home.chmod(0o755)
    server = LocalPostgres({"fsync": "off"})
    try:
        owner = Target(server.start(home))
        admin = connect(owner, "tests")
        admin.rows("CREATE ROLE cloudsqlsuperuser CREATEROLE CREATEDB")
        admin.rows("GRANT pg_monitor TO cloudsqlsuperuser")
        for user in (MIGRATOR, *(user_of(name) for name in CLIENTS)):
            admin.rows(f'CREATE ROLE "{user}" LOGIN')
        admin.rows(f'GRANT cloudsqlsuperuser TO "{MIGRATOR}"')
        admin.rows("CREATE DATABASE shop OWNER cloudsqlsuperuser")
        admin.close()
        yield replace(
            owner.named("shop"), database_url=owner.named("shop").database_url.replace("sluice@", f"{MIGRATOR}@")
        )
    finally:
        server.kill()
        shutil.rmtree(home)


def test_migrations_and_grants_need_no_superuser(cloud_sql: Target) -> None:
    migrator = connect(cloud_sql, "tests")
    members = {name: [user_of(name)] for name in CLIENTS}
    assert migrate(migrator)
    grant_roles(migrator, members)
    assert migrate(migrator) == []
    grant_roles(migrator, members)
    loading = connect(replace(cloud_sql, database_url=url_of(cloud_sql.database_url, "load_postgres")), "tests")
    loading.rows("UPDATE commerce.products SET category = 'toys'")
    with pytest.raises(DatabaseError, match="permission denied"):
        loading.rows("DELETE FROM commerce.products")
    with pytest.raises(DatabaseError, match="append-only"):
        migrator.rows("DELETE FROM audit.change")
    loading.close()
    migrator.close()
