"""check_quality against a ledger: what it measures, which days, and that it alerts once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.adapters.drift import record_drift
from shared.adapters.feeds import one_at_a_time
from shared.adapters.loading import load_chunk
from shared.adapters.memory import MemoryWarehouse
from shared.adapters.queries import rows_of
from shared.entrypoint import Outcome
from shared.errors import DependencyUnavailable
from tests.functions.harness import LAKE
from tests.integration.postgres.checking import NOON, TODAY, Check, load, many
from tests.integration.postgres.rows import (
    Product,
    Txn,
    User,
    facts,
    load_products,
    load_users,
    transactions,
)


def test_a_field_that_too_many_rows_lack_is_one_warning_with_its_figures(check: Check) -> None:
    load(check.session, [*many("a", 77), *many("b", 23, user=None)], missing={"user_id": 23})
    for _ in range(3):
        check.run()
    assert check.verdict("completeness.user_id") == (Decimal("0.77"), False, 100)
    (alert,) = check.alerts()
    assert (alert.kind, alert.severity) == ("quality_breach", "warning")
    assert alert.subject == "transactions completeness.user_id"
    assert alert.told == "77 % of 100 rows have user_id; the rule asks for more than 95 %"
    assert alert.runbook == "docs/runbook.md#quality-breach"


def test_what_is_breached_and_fine_again_is_not_alerted_a_second_time(check: Check) -> None:
    load(check.session, many("a", 10), missing={"user_id": 5})
    check.run()
    load(check.session, many("b", 990))
    check.run()
    assert check.verdict("completeness.user_id") == (Decimal("0.995"), True, 1000)
    load(check.session, many("c", 1000), missing={"user_id": 1000})
    check.run()
    assert len(check.alerts()) == 1


def test_a_chunk_a_file_and_a_day_have_verdicts_of_their_own(check: Check) -> None:
    sql = """INSERT INTO pipeline.file (file_id, bucket, object_name, generation, source, size, landed_at, state)
             VALUES ('f1', 'b', 'n', 1, 'transactions', 1, $1, 'cut')"""
    check.session.rows(sql, NOON)
    load(check.session, many("a", 100), chunk="c1", file="f1", missing={"user_id": 50})
    load(check.session, many("b", 100), chunk="c2", file="f1")
    load(check.session, many("c", 20), chunk="c3")
    check.run()
    assert check.verdict("completeness.user_id", scope="chunk", subject="c1") == (Decimal("0.5"), False, 100)
    assert check.verdict("completeness.user_id", scope="chunk", subject="c2") == (Decimal(1), True, 100)
    assert check.verdict("completeness.user_id", scope="file", subject="f1") == (Decimal("0.75"), False, 200)
    assert check.verdict("completeness.user_id")[2] == 220
    small = check.session.rows("SELECT count(*) FROM pipeline.quality_result WHERE subject = 'c3'")
    assert small == [(0,)]
    assert len(check.alerts()) == 1  # of the day alone


def test_refused_money_is_critical_and_other_refused_rows_are_not(check: Check) -> None:
    load(check.session, many("a", 98), bad=[101, 102])
    check.run()
    assert check.verdict("financial_errors") == (Decimal("0.02"), False, 100)
    assert check.verdict("validity") == (Decimal("0.98"), True, 100)
    assert [alert.severity for alert in check.alerts()] == ["critical"]


def test_contradicting_duplicates_count_as_financial_and_against_uniqueness(check: Check) -> None:
    load(check.session, [*many("a", 9), Txn("a-0", amount="99.0000")])
    check.run()
    assert check.verdict("financial_errors")[:2] == (Decimal("0.1"), False)
    assert check.verdict("uniqueness")[:2] == (Decimal("0.9"), False)
    assert check.verdict("validity")[:2] == (Decimal(1), True)


def test_facts_are_judged_by_the_day_that_they_landed(check: Check) -> None:
    rows = [*many("a", 8), *many("b", 1, user="nobody"), *many("c", 1, product="nothing", flags=8)]
    load(check.session, rows)
    check.run()
    assert check.verdict("integrity.user_id") == (Decimal("0.9"), False, 10)
    assert check.verdict("integrity.product_id") == (Decimal("0.9"), False, 10)
    assert check.verdict("lateness") == (Decimal("0.1"), False, 10)
    load_users(check.session, 1, User("nobody"))
    load_products(check.session, Product("nothing"))
    check.run()
    assert check.verdict("integrity.user_id")[1] is True
    assert check.verdict("integrity.product_id")[1] is True


def test_only_days_that_changed_are_measured_again(check: Check) -> None:
    yesterday = TODAY - timedelta(days=1)
    load(check.session, many("a", 5), day=yesterday)
    load(check.session, many("b", 5))
    check.run()
    check.session.rows("UPDATE pipeline.quality_result SET value = 0.5 WHERE rule = 'validity'")
    check.run()
    assert check.verdict("validity", yesterday)[0] == Decimal("0.5")
    load(check.session, many("c", 5), day=yesterday)
    check.run()
    assert check.verdict("validity", yesterday)[0] == 1


def test_a_chunk_that_commits_behind_a_later_one_is_not_passed_over(check: Check, open_session: Any) -> None:
    earlier, slow = TODAY - timedelta(days=2), open_session()
    sql = """INSERT INTO pipeline.chunk (chunk_id, source, day, received, valid, inserted, state, loaded_xid, profile)
             VALUES ('slow', 'transactions', $1, 10, 10, 10, 'loaded', pg_current_xact_id()::text::bigint, '{}')"""
    with slow.transaction():
        slow.rows(sql, earlier)
        load(check.session, many("a", 5))
        check.run()
        assert "validity" not in check.rules(earlier)
    check.run()
    assert check.verdict("validity", earlier) == (Decimal(1), True, 10)


def test_a_held_chunk_counts_by_what_validate_found_in_it(check: Check) -> None:
    earlier = TODAY - timedelta(days=1)
    load(check.session, many("a", 10))
    check.run()
    sql = """INSERT INTO pipeline.chunk (chunk_id, source, day, received, valid, held, state, held_at)
             VALUES ('held', 'transactions', $1, 200, 50, 200, 'held', $2)"""
    check.session.rows(sql, earlier, NOON)
    check.run()
    assert check.verdict("validity", earlier) == (Decimal("0.25"), False, 200)


def test_a_row_that_left_quarantine_later_is_measured_with_its_day(check: Check) -> None:
    earlier = TODAY - timedelta(days=1)
    load(check.session, many("a", 9), bad=[10], day=earlier, chunk="mended")
    check.run()
    assert check.verdict("validity", earlier)[0] == Decimal("0.9")
    check.session.rows("DELETE FROM pipeline.quarantined_row")
    sql = "UPDATE pipeline.chunk SET valid = 10, inserted = 10, quarantined = 0 WHERE chunk_id = 'mended'"
    check.session.rows(sql)
    check.run()
    assert check.verdict("validity", earlier)[:2] == (Decimal(1), True)


def test_what_changes_no_outcome_has_no_day_measured_again(check: Check) -> None:
    profile = '{"read": 1, "types": {"amount": {"string": 1}}}'
    load_chunk(check.session, replace(facts("transactions", 1), profile=profile), transactions([Txn("t1")]))
    check.run()
    position = rows_of(check.session, "read_quality_watermark")[0][0]
    assert record_drift(check.session)[0] > 0, "chunks are marked"
    assert rows_of(check.session, "list_ledger_days", position=position) == []


def test_a_run_that_failed_is_made_up_for_by_the_next(check: Check) -> None:
    load(check.session, many("a", 10, hours=-24 * 3), day=TODAY - timedelta(days=3), missing={"user_id": 5})

    class Down(MemoryWarehouse):
        def run(self, *_: Any, **__: Any) -> Any:
            raise DependencyUnavailable("BigQuery does not answer")

    with pytest.raises(DependencyUnavailable):
        check.run(warehouse=Down(check.store))
    assert check.alerts() == []
    check.run()
    assert len(check.alerts()) == 1
    assert {row[0] for rows in check.warehouse.loaded.values() for row in rows} >= {"2025-02-26", "2025-03-01"}


def test_the_mart_gets_the_days_that_were_measured_with_their_scores(check: Check) -> None:
    load(check.session, many("a", 100), missing={"user_id": 5})
    check.run()
    ((table, rows),) = check.warehouse.loaded.items()
    found = {row[2]: row for row in rows if row[1] == "transactions"}
    assert found["completeness.user_id"][4:8] == ["0.950000", "0.95", "warning", "false"]
    assert len({row[9] for row in found.values()}) == 1
    sql, params = check.warehouse.ran[-1]
    assert table in sql
    assert params == {"days": [TODAY]}
    check.run()
    assert len(check.warehouse.loaded) == 2  # a run of its own, with names of its own
    assert [name.split("_")[0] for name in sorted(check.store.names(LAKE))] == ["quality/1", "quality/2"]


def test_a_run_whose_number_came_again_after_a_restore_still_replaces_its_days(check: Check) -> None:
    load(check.session, many("a", 100), missing={"user_id": 5})
    check.run()
    check.session.rows("UPDATE pipeline.quality_watermark SET runs = 0")
    load(check.session, many("b", 100), missing={"user_id": 25})
    check.run()
    assert {name.split("_")[0] for name in check.store.names(LAKE)} == {"quality/1"}
    measured = [
        {row[4] for row in rows if row[1:3] == ["transactions", "completeness.user_id"]}
        for rows in check.warehouse.loaded.values()
    ]
    assert measured == [{"0.950000"}, {"0.850000"}]


def test_a_source_that_is_silent_for_longer_than_it_may_is_stale_once_a_day(check: Check) -> None:
    sql = """INSERT INTO pipeline.file (file_id, bucket, object_name, generation, source, size, landed_at, state)
             VALUES ('f' || $1, 'b', $1, 1, $1, 1, $2, 'cut')"""
    check.session.rows("UPDATE pipeline.chunk SET registered_at = $1", NOON)
    check.session.rows(sql, "users", NOON - timedelta(days=9))
    check.session.rows(sql, "products", NOON - timedelta(days=1))
    check.session.rows("DELETE FROM pipeline.chunk WHERE source = 'users'")
    for hours in (0, 1):
        check.run(NOON + timedelta(hours=hours))
    stale = [alert for alert in check.alerts() if alert.kind == "source_stale"]
    assert [alert.subject for alert in stale] == ["users freshness"]
    assert stale[0].told.startswith("216 hours since the last file or message; the rule asks for at most 192 hours")
    check.run(NOON + timedelta(days=1))
    assert len([alert for alert in check.alerts() if alert.subject == "users freshness"]) == 2


def test_while_another_run_is_at_it_nothing_is_measured(check: Check, open_session: Any) -> None:
    with one_at_a_time(open_session(), "check_quality"):
        assert check.run() == Outcome("busy")
