"""What check_quality finds unusual: days with far more or fewer rows, sums off their weekday, single amounts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.integration.postgres.checking import NOON, TODAY, Check, load, many
from tests.integration.postgres.rows import (
    Txn,
)


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
