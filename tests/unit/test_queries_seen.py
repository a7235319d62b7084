"""Fingerprints and regressions of statements."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

import pytest

from shared.domain.queries_seen import Trend, fingerprint


@pytest.mark.parametrize(
    "same",
    [
        "select *  from t where name = 'Bob' and n = 7",
        '-- who\nSELECT * FROM t\nWHERE name = "Al\\"ice" AND n = 1.5',
        "SELECT * FROM t WHERE name = '''o'x''' AND n = 12 /* a, b */",
        "SELECT * FROM t WHERE name = r'x' AND n = 0 # the end",
    ],
)
def test_the_same_statement_with_other_values_has_the_same_fingerprint(same: str) -> None:
    assert fingerprint(same) == fingerprint("SELECT * FROM t WHERE name = '' AND n = 1")


def test_another_statement_has_another_fingerprint() -> None:
    assert fingerprint("SELECT a FROM t") != fingerprint("SELECT b FROM t")
    assert fingerprint("SELECT n FROM staging.feed_12_users") == fingerprint("SELECT n FROM staging.feed_7_users")


@pytest.mark.parametrize("name", ["quality_3_{}_0", "close_2026_10_{:.12}"])
def test_a_staging_table_of_each_run_is_no_other_statement(name: str) -> None:
    one, other = (f"SELECT n FROM staging.{name.format(sha256(run).hexdigest())}" for run in (b"1", b"2"))
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("runs", "seconds", "runs_before", "seconds_before", "regressed"),
    [
        (10, "20", 70, "70", True),
        (10, "19.9", 70, "70", False),  # less than twice
        (10, "9", 70, "7", False),  # below a second
        (4, "40", 70, "70", False),  # too few runs
        (10, "20", 9, "9", False),  # too few before
        (10, "20", 0, "0", False),  # new
    ],
)
def test_twice_the_mean_of_the_week_before_is_a_regression(
    runs: int, seconds: str, runs_before: int, seconds_before: str, regressed: bool
) -> None:
    assert Trend(runs, Decimal(seconds), runs_before, Decimal(seconds_before)).regressed is regressed
