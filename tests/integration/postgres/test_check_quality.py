"""check_quality against a ledger: what it measures, which days, and that it alerts once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.check_quality import main as check_quality
from shared.adapters.drift import record_drift
from shared.adapters.feeds import one_at_a_time
from shared.adapters.loading import load_chunk
from shared.adapters.memory import MemoryPublisher, MemoryStore, MemoryWarehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.entrypoint import Outcome
from shared.errors import DependencyUnavailable
from shared.messages import Alert
from tests.functions.harness import LAKE, settings
from tests.integration.postgres.rows import (
    START,
    Product,
    Txn,
    User,
    bad_rows,
    facts,
    load_products,
    load_users,
    transactions,
)

TODAY = START.date()
NOON = datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=12)


@dataclass
class Check:
    """check_quality with fakes around a real ledger."""

    session: Session
    store: MemoryStore = field(default_factory=MemoryStore)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    fields: str = "transactions.user_id:warn,transactions.amount:critical"

    def __post_init__(self) -> None:
        self.warehouse = MemoryWarehouse(self.store)

    def run(self, now: datetime = NOON, **instead: Any) -> Outcome:
        parts: dict[str, Any] = {"warehouse": self.warehouse, **instead}
        return check_quality.run(
            now=now, session=self.session, store=self.store, publisher=self.publisher,
            settings=settings(QUALITY_FIELDS=self.fields), **parts,
        )  # fmt: skip

    def alerts(self) -> list[Alert]:
        return self.publisher.of("alerts")

    def told(self) -> dict[str, str]:
        return {alert.subject: alert.told for alert in self.alerts()}

    def verdict(self, rule: str, day: date = TODAY, scope: str = "day", subject: str = "") -> tuple[Decimal, bool, int]:
        (found,) = self.session.rows(
            """SELECT value, passed, rows FROM pipeline.quality_result
               WHERE rule = $1 AND day = $2 AND scope = $3 AND subject = $4 AND dataset IN ('transactions', 'sales')""",
            rule, day, scope, subject,
        )  # fmt: skip
        return tuple(found)  # type: ignore[return-value]

    def rules(self, day: date = TODAY) -> set[str]:
        """The rules that have a verdict on a day."""
        sql = "SELECT rule FROM pipeline.quality_result WHERE day = $1 AND scope = 'day'"
        return {row[0] for row in self.session.rows(sql, day)}


def load(
    session: Session, rows: Sequence[Txn], *, day: date = TODAY, chunk: str | None = None, bad: Sequence[int] = (),
    file: str | None = None, missing: Mapping[str, int] | None = None,
) -> None:  # fmt: skip
    profile = json.dumps({"missing": dict(missing or {})})
    known = replace(
        facts("transactions", len(rows) + len(bad), chunk), day=day, profile=profile, file_id=file
    )  # fmt: skip
    load_chunk(session, known, transactions(rows), bad_rows(bad) if bad else None)


def many(prefix: str, count: int, **more: Any) -> list[Txn]:
    return [Txn(f"{prefix}-{n}", **more) for n in range(count)]


@pytest.fixture
def check(session: Session) -> Check:
    load_users(session, 0, User())
    load_products(session, Product())
    return Check(session)


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


def weeks(check: Check, *counts: int, last: int) -> None:
    """Rows of the same weekday of earlier weeks, the oldest first, and of today."""
    for number, count in enumerate(reversed(counts), 1):
        hours = -7 * 24 * number
        load(check.session, many(f"w{number}", count, hours=hours), day=TODAY - timedelta(weeks=number))
    if last:
        load(check.session, many("today", last))


def test_a_day_with_far_more_rows_than_its_weekday_is_an_anomaly(check: Check) -> None:
    weeks(check, 40, 41, 40, 42, last=90)
    check.run()
    assert check.verdict("volume")[1] is False
    assert "rows received: 90.00; the median of 4 earlier Saturdays is 40.50" in check.told()["transactions volume"]


def test_too_few_rows_are_an_anomaly_only_once_the_day_is_over(check: Check) -> None:
    weeks(check, 40, 41, 40, 42, last=3)
    check.run()
    assert "volume" not in check.rules()
    check.run(NOON + timedelta(days=1))
    assert check.verdict("volume")[1] is False


def test_a_day_without_any_row_is_an_anomaly_once_it_is_over(check: Check) -> None:
    weeks(check, 40, 41, 40, 42, last=0)
    check.run()
    check.run(NOON + timedelta(days=1))
    value, passed, rows = check.verdict("volume")
    assert (round(value), passed, rows) == (10, False, 0)


def test_three_earlier_days_are_no_verdict(check: Check) -> None:
    weeks(check, 40, 41, 40, last=4000)
    check.run()
    assert "volume" not in check.rules()


def test_a_sum_and_a_median_far_from_usual_are_anomalies_of_their_currency(check: Check) -> None:
    weeks(check, 40, 40, 40, 40, last=0)
    load(check.session, many("today", 40, amount="1000.0000"))
    check.run(NOON + timedelta(days=1))
    assert check.verdict("amount_sum", subject="GBP")[1] is False
    assert check.verdict("amount_median", subject="GBP")[1] is False
    assert "median amount: 1,000.00 GBP" in check.told()["sales amount_median GBP"]


def test_an_anomaly_of_a_day_long_past_is_kept_and_not_alerted(check: Check) -> None:
    weeks(check, 40, 40, 40, 40, last=0)
    load(check.session, many("today", 40, amount="1000.0000"))
    check.run(NOON + timedelta(weeks=9))
    assert check.verdict("amount_sum", subject="GBP")[1] is False
    assert not [alert for alert in check.alerts() if alert.kind == "anomaly"]


def test_an_amount_far_from_its_category_is_an_outlier_and_stays_in_the_facts(check: Check) -> None:
    usual = [Txn(f"u-{n}", hours=-24, amount=f"{10 + n % 3}.0000") for n in range(60)]
    load(check.session, usual)
    load(check.session, [Txn("huge", amount="5000.0000"), Txn("fine", amount="12.0000"), *many("t", 98)])
    for _ in range(2):
        check.run(NOON + timedelta(days=1))
    rows = check.session.rows("SELECT day, transaction_id, category, currency, amount, rows FROM pipeline.outlier")
    assert rows == [(TODAY, "huge", "garden", "GBP", Decimal("5000.0000"), 60)]
    assert check.verdict("outliers") == (Decimal("0.01"), True, 100)
    assert check.session.rows("SELECT amount FROM commerce.transactions WHERE transaction_id = 'huge'") == [(5000,)]


def test_an_outlier_that_was_corrected_is_forgotten(check: Check) -> None:
    load(check.session, many("u", 60, hours=-24))
    load(check.session, [Txn("huge", amount="5000.0000")])
    check.run(NOON + timedelta(days=1))
    load(check.session, [Txn("huge", hours=1, amount="10.0000")])
    check.run(NOON + timedelta(days=1))
    assert check.session.rows("SELECT count(*) FROM pipeline.outlier") == [(0,)]


def test_too_few_trailing_amounts_make_no_outlier(check: Check) -> None:
    load(check.session, many("u", 49, hours=-24))
    load(check.session, [Txn("huge", amount="5000.0000")])
    check.run(NOON + timedelta(days=1))
    assert check.session.rows("SELECT count(*) FROM pipeline.outlier") == [(0,)]


def test_while_another_run_is_at_it_nothing_is_measured(check: Check, open_session: Any) -> None:
    with one_at_a_time(open_session(), "check_quality"):
        assert check.run() == Outcome("busy")
