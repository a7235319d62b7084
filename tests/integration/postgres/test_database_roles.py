"""Roles of the database: what each may do, what all are refused, and that all of it follows from the files.

That the grants are enough is shown by every run of the local cloud, whose functions log in as users of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from local.database_users import make_users, url_of, user_of
from local.table import ROOT, read_table
from shared.adapters.database_roles import grant_roles
from shared.adapters.postgres import Session, connect, error_facts
from shared.adapters.queries import FOLDER as QUERIES
from shared.adapters.queries import query
from shared.errors import ConfigError
from tests.integration.postgres.target import Target

CLIENTS = sorted(function.name for function in read_table().functions if "database_client" in function.roles)
SCHEMAS = ("audit", "commerce", "finance", "identity", "pipeline")
STRENGTH = ("", "reads", "adds", "writes")
SAID = {"SELECT": "reads", "INSERT": "adds", "UPDATE": "writes", "DELETE": "writes"}
OWNERS_ALONE = (
    "ALTER TABLE commerce.transactions DISABLE TRIGGER audit_update",
    "DROP TABLE finance.close_line",
    "TRUNCATE pipeline.chunk",
    "CREATE TABLE public.mine (a int)",
    "INSERT INTO audit.change (table_name, row_id) VALUES ('commerce.users', '1')",
    "SET ROLE sluice_auditor",
)
PEOPLE = {"auditor": ["ann@example.com"], "operator": ["olaf@example.com"], "privacy_officer": ["pia@example.com"]}
PRIVILEGES = """
    SELECT DISTINCT substr(r.rolname, 8) AS role, c.oid::regclass::text AS name, a.privilege_type
    FROM pg_class c
    CROSS JOIN LATERAL (
        SELECT * FROM aclexplode(c.relacl)
        UNION ALL
        SELECT x.* FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) x WHERE t.attrelid = c.oid
    ) a
    JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND r.rolname LIKE 'sluice\\_%'
"""

COMMANDS = [
    *sorted((ROOT / "cli").rglob("*.py")),
    *(
        ROOT / "shared" / "adapters" / f"{name}.py"
        for name in ("actions", "deciding", "reconciliation", "refeeds", "replaying", "reprocessing")
    ),
]

As = Callable[[str], Session]


@pytest.fixture
def as_user(target: Target, session: Session) -> Iterator[As]:
    """Opens a session as the user of a function, or of a person."""
    people = [name for names in PEOPLE.values() for name in names]
    known = {row[0] for row in session.rows("SELECT rolname FROM pg_roles")}
    make_users(session)
    for person in people:
        if person not in known:
            session.rows(f'CREATE ROLE "{person}" LOGIN')
    grant_roles(session, {**{name: [user_of(name)] for name in CLIENTS}, **PEOPLE})
    opened: list[Session] = []

    def open_as(who: str) -> Session:
        url = url_of(target.database_url, who)
        if who in PEOPLE:
            url = url.replace(url.split("//")[1].split("@")[0], PEOPLE[who][0].replace("@", "%40"))
        opened.append(connect(replace(target, database_url=url), "tests"))
        return opened[-1]

    yield open_as
    for each in opened:
        each.close()


def named_queries(page: Path) -> set[str]:
    """The named queries whose names stand in a file of Python."""
    known = {path.stem for path in QUERIES.glob("*.sql")}
    constants = (node for node in ast.walk(ast.parse(page.read_text())) if isinstance(node, ast.Constant))
    return {node.value for node in constants if node.value in known}


def refused(session: Session, sql: str) -> bool:
    """Whether the statement is refused for want of a right, and for nothing else."""
    try:
        session.rows(sql)
    except DatabaseError as exc:
        state, message = error_facts(exc)
        assert state == "42501", (state, message)
        return True
    return False


def writers(session: Session, schema: str) -> dict[str, set[str]]:
    """Table => roles that may write it in any way; `watched` writes nothing, pgaudit goes by what it was given."""
    found: dict[str, set[str]] = {}
    for role, name, privilege in session.rows(PRIVILEGES, schema):
        if privilege != "SELECT" and role != "watched":
            found.setdefault(name, set()).add(role)
    return found


def test_each_function_that_talks_to_postgres_and_each_kind_of_person_has_a_role(session: Session) -> None:
    grant_roles(session, {})
    made = {row[0] for row in session.rows("SELECT substr(rolname, 8) FROM pg_roles WHERE rolname LIKE 'sluice\\_%'")}
    assert made == {*CLIENTS, *PEOPLE, "watched"}


def test_only_the_stage_of_a_schema_writes_it(session: Session) -> None:
    grant_roles(session, {})
    assert set().union(*writers(session, "commerce").values()) == {"load_postgres"}
    assert set().union(*writers(session, "identity").values()) == {"load_postgres"}
    assert set().union(*writers(session, "finance").values()) == {"close_month", "build_marts"}
    assert set(writers(session, "audit")) == {"audit.operator_action", "audit.operator_result"}


def test_what_was_booked_is_changed_by_nobody(session: Session) -> None:
    grant_roles(session, {})
    granted = session.rows(PRIVILEGES, "finance")
    assert {role for role, _, privilege in granted if privilege == "INSERT" and role != "watched"} == {"close_month"}
    changing = {(role, name) for role, name, privilege in granted if privilege in ("UPDATE", "DELETE", "TRUNCATE")}
    assert {pair for pair in changing if pair[0] != "watched"} == {("build_marts", "finance.close")}


def test_what_names_a_person_is_read_by_one_function_and_one_kind_of_person(session: Session) -> None:
    grant_roles(session, {})
    assert {role for role, _, _ in session.rows(PRIVILEGES, "identity")} == {
        "load_postgres", "privacy_officer", "watched"
    }  # fmt: skip


def test_auditors_and_privacy_officers_change_nothing(session: Session) -> None:
    grant_roles(session, {})
    given = {
        p
        for schema in SCHEMAS
        for role, _, p in session.rows(PRIVILEGES, schema)
        if role in ("auditor", "privacy_officer")
    }
    assert given == {"SELECT"}


def test_no_function_changes_structure_switches_triggers_or_writes_the_audit(as_user: As) -> None:
    for function in CLIENTS:
        mine = as_user(function)
        allowed = [sql for sql in OWNERS_ALONE if not refused(mine, sql)]
        assert allowed == [], function


def test_a_function_that_only_alerts_sees_no_sale_and_no_person(as_user: As) -> None:
    notify = as_user("notify")
    assert refused(notify, "SELECT FROM commerce.transactions")
    assert refused(notify, "SELECT FROM identity.contact")
    assert refused(notify, "UPDATE pipeline.alert SET told = ''")
    notify.rows("UPDATE pipeline.alert SET delivered_at = now() WHERE alert_id = 0")


def test_an_update_is_audited_under_the_functions_own_name_though_it_may_not_write_the_audit(
    as_user: As, session: Session
) -> None:
    loading = as_user("load_postgres")
    loading.rows(
        "INSERT INTO commerce.products (product_id, inferred, version, change_seq, source_chunk) "
        "VALUES ('p', true, 0, 1, 1)"
    )
    loading.rows("UPDATE commerce.products SET category = 'toys' WHERE product_id = 'p'")
    assert session.rows("SELECT changed_by, application FROM audit.change") == [(user_of("load_postgres"), "tests")]


def test_people_see_what_is_theirs(as_user: As) -> None:
    auditor, operator, officer = as_user("auditor"), as_user("operator"), as_user("privacy_officer")
    auditor.rows("SELECT FROM finance.close_line")
    auditor.rows("SELECT FROM audit.change")
    operator.rows("SELECT FROM pipeline.chunk")
    officer.rows("SELECT email FROM identity.contact")
    officer.rows("SELECT locked_until FROM identity.credential")
    assert refused(auditor, "SELECT FROM identity.contact")
    assert refused(operator, "SELECT FROM identity.contact")
    assert refused(operator, "SELECT FROM audit.change")
    assert refused(operator, "UPDATE pipeline.chunk SET decision = 'released'")
    assert refused(officer, "SELECT password_hash FROM identity.credential")
    assert refused(officer, "SELECT FROM finance.close")


def test_an_operator_may_ask_what_the_command_line_asks_but_not_decide(as_user: As) -> None:
    operator = as_user("operator")
    asked = sorted({name for page in COMMANDS for name in named_queries(page)})
    assert len(asked) > 30
    # The loads are only named there, in what is proposed for a new field.
    kept = {name for name in asked if refused(operator, f"EXPLAIN (GENERIC_PLAN) {query(name).sql}")}
    assert kept == {"decide_chunk", "discard_rows", "load_fx_rates", "load_products", "load_users"}


def test_who_is_named_no_more_loses_the_role_and_a_grant_outside_the_files_is_taken_back(
    as_user: As, session: Session
) -> None:
    auditor = as_user("auditor")
    session.rows("GRANT USAGE ON SCHEMA identity TO sluice_auditor")
    session.rows("GRANT SELECT ON identity.contact TO sluice_auditor")
    auditor.rows("SELECT FROM identity.contact")
    grant_roles(session, PEOPLE)
    assert refused(auditor, "SELECT FROM identity.contact")
    auditor.rows("SELECT FROM finance.close")
    grant_roles(session, {"operator": PEOPLE["operator"]})
    assert refused(auditor, "SELECT FROM finance.close")


def test_a_user_is_dropped_together_with_its_roles_but_not_while_a_session_of_it_holds_a_temporary_table(
    as_user: As, session: Session
) -> None:
    """So Terraform deletes the users of people as they are, and those of functions after the functions."""
    loader = as_user("load_postgres")
    loader.rows("CREATE TEMP TABLE staged (row_id text)")
    loader.rows("COMMIT")
    with pytest.raises(DatabaseError, match="cannot be dropped because some objects depend on it"):
        session.rows(f'DROP ROLE "{user_of("load_postgres")}"')
    auditor = as_user("auditor")
    auditor.rows("SELECT FROM finance.close")
    session.rows(f'DROP ROLE "{PEOPLE["auditor"][0]}"')
    assert refused(auditor, "SELECT FROM finance.close")
    with pytest.raises(DatabaseError, match="does not exist"):
        as_user("auditor")


@pytest.mark.parametrize(
    ("members", "told"),
    [({"cashier": []}, "no such role: cashier"), ({"auditor": ["nobody@example.com"]}, "no such user: nobody@example")],
)
def test_a_role_or_user_that_is_not_there_is_an_error_that_changes_nothing(
    session: Session, members: dict[str, list[str]], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        grant_roles(session, members)
    assert session.rows(PRIVILEGES, "finance") == []


def test_the_page_on_security_says_what_each_role_may_do(session: Session) -> None:
    grant_roles(session, {})
    given: dict[str, dict[str, str]] = {}
    for schema in SCHEMAS:
        for role, _, privilege in session.rows(PRIVILEGES, schema):
            most = STRENGTH.index(given.setdefault(role, {}).get(schema, ""))
            given[role][schema] = STRENGTH[max(most, STRENGTH.index(SAID[privilege]))]
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    body = page.split("## Who may do what in the database", 1)[1].split("\n### ", 1)[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in body.splitlines() if row.startswith("| `")]
    told = {
        name.strip("`"): {schema: cell for schema, cell in zip(SCHEMAS, cells, strict=True) if cell}
        for name, *cells in rows
    }
    assert told == {role: uses for role, uses in given.items() if role != "watched"}
