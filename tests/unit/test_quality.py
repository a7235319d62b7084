"""The rules of data quality, the statistics they rest on, and the score."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.quality import rules as r
from shared.domain.quality.judging import (
    Measure,
    Result,
    judge,
    judge_anomaly,
    judge_differences,
    judge_freshness,
    same_weekdays,
)
from shared.domain.quality.robust import FEWEST, FLOOR, median, usual
from shared.domain.quality.scoring import kind_of, part, score
from shared.schemas.rows import KNOWN
from shared.settings import DEFAULT_QUALITY_FIELDS
from tests.functions.harness import settings

DAY = date(2026, 3, 2)
USER = r.completeness("user_id", "transactions", "warning")
VALUES = st.decimals(0, 10**6, places=2)
HISTORY = st.lists(VALUES, min_size=FEWEST, max_size=8)
LEAST = Decimal("0.01")


def measure(**counts: int) -> Measure:
    return Measure("day", "", "transactions", DAY, counts)


def verdict(rule: r.Rule, bad: int, of: int) -> Result:
    (found,) = judge([rule], measure(**{rule.of: of, rule.bad: bad}))
    return found


@given(HISTORY)
def test_half_of_the_values_lie_on_each_side_of_the_median(values: list[Decimal]) -> None:
    middle = median(values)
    assert sum(v <= middle for v in values) * 2 >= len(values) <= sum(v >= middle for v in values) * 2


@given(HISTORY, VALUES)
def test_one_wild_value_among_many_does_not_make_the_others_unusual(values: list[Decimal], wild: Decimal) -> None:
    steady = [Decimal(100) + value % 5 for value in values]
    known = usual([*steady, wild * 1000], LEAST)
    assert known is not None
    assert abs(known.deviation(Decimal(102))) < r.SPREADS


@given(HISTORY, st.decimals("0.5", 1000, places=2))
def test_a_verdict_does_not_depend_on_the_unit(values: list[Decimal], factor: Decimal) -> None:
    one, other = usual(values, LEAST), usual([v * factor for v in values], LEAST * factor)
    assert one is not None
    assert other is not None
    assert abs(one.deviation(Decimal(7)) - other.deviation(7 * factor)) < Decimal("1e-15")


@given(VALUES, st.integers(FEWEST, 8))
def test_a_constant_history_does_not_alarm_within_the_floor(value: Decimal, days: int) -> None:
    known = usual([value] * days, LEAST)
    assert known is not None
    assert known.deviation(value) == 0
    assert known.deviation(value * (1 + FLOOR * r.SPREADS)) <= r.SPREADS


@pytest.mark.parametrize("days", range(FEWEST))
def test_fewer_than_four_earlier_days_are_no_verdict(days: int) -> None:
    assert usual([Decimal(1)] * days, LEAST) is None


def test_the_days_compared_with_are_the_same_weekday_of_eight_weeks() -> None:
    days = same_weekdays(DAY)
    assert len(days) == 8
    assert {day.weekday() for day in days} == {DAY.weekday()}
    assert max(days) == DAY - timedelta(days=7)


@pytest.mark.parametrize(("bad", "passed"), [(0, True), (4, True), (5, False), (6, False), (100, False)])
def test_completeness_must_be_more_than_95_percent(bad: int, passed: bool) -> None:
    found = verdict(USER, bad, 100)
    assert (found.passed, found.value) == (passed, Decimal(100 - bad) / 100)


@pytest.mark.parametrize(("bad", "passed"), [(0, True), (9, True), (10, False), (11, False)])
def test_financial_errors_must_be_less_than_1_percent(bad: int, passed: bool) -> None:
    assert verdict(r.FINANCIAL, bad, 1000).passed is passed


def test_the_figures_are_told_with_the_threshold() -> None:
    assert verdict(USER, 2287, 9999).told == "77.13 % of 9,999 rows have user_id; the rule asks for more than 95 %"


def test_nothing_counted_and_another_dataset_are_no_verdict() -> None:
    assert judge([USER], measure(received=0)) == []
    assert judge([USER], Measure("day", "", "users", DAY, {"received": 5})) == []


@pytest.mark.parametrize(("dataset", "hours"), r.CADENCE_HOURS.items())
def test_a_source_may_be_silent_for_its_cadence_and_no_longer(dataset: str, hours: int) -> None:
    assert judge_freshness(dataset, DAY, Decimal(hours)).passed
    assert not judge_freshness(dataset, DAY, Decimal(hours) + Decimal("0.01")).passed


@pytest.mark.parametrize(
    ("observed", "over", "passed"), [(100, True, True), (30, True, False), (30, False, None), (300, False, False)]
)
def test_a_day_that_is_not_over_can_only_be_too_much(observed: int, over: bool, passed: bool | None) -> None:
    history = [Decimal(100)] * 4
    found = judge_anomaly(r.VOLUME, measure(rows=observed), Decimal(observed), history, least=LEAST, over=over)
    assert (found.passed if found else None) is passed


def test_a_single_difference_between_stores_is_a_breach() -> None:
    assert judge_differences(r.WAREHOUSE_EQUAL, DAY, 0, 5).passed
    assert not judge_differences(r.WAREHOUSE_EQUAL, DAY, 1, 5).passed


SHARES = [rule for rule in (*r.FIXED, USER) if rule.unit == "share"]


@pytest.mark.parametrize("rule", SHARES, ids=lambda rule: rule.name)
def test_a_part_is_perfect_without_bad_rows_half_at_the_threshold_and_never_below_0(rule: r.Rule) -> None:
    at_threshold = 1 - rule.threshold if rule.sense == "more than" else rule.threshold
    dataset = rule.datasets[0]

    def of(bad: int) -> Decimal:
        (found,) = judge([rule], Measure("day", "", dataset, DAY, {rule.of: 10_000, rule.bad: bad}))
        return part(found)

    assert (of(0), of(int(at_threshold * 10_000)), of(10_000)) == (Decimal(1), Decimal("0.5"), Decimal(0))


@given(st.lists(st.tuples(st.sampled_from(SHARES), st.integers(0, 1000)), min_size=1, max_size=12))
def test_a_score_lies_between_0_and_100_and_more_bad_rows_never_raise_it(chosen: list[tuple[r.Rule, int]]) -> None:
    def total(more: int) -> Decimal:
        found = [
            judge([rule], Measure("day", "", rule.datasets[0], DAY, {rule.of: 2000, rule.bad: bad + more}))[0]
            for rule, bad in chosen
        ]
        return score(found).total

    assert 0 <= total(500) <= total(0) <= 100


def test_a_score_weighs_the_dimensions_that_have_a_verdict() -> None:
    found = score([verdict(USER, 1000, 1000), verdict(r.VALIDITY, 0, 1000)])
    assert found.parts == {"completeness": 0, "validity": 100}
    assert found.total == Decimal("33.3")  # 15 of 30 + 15


def test_anomalies_count_whole_or_not_at_all() -> None:
    fine = judge_differences(r.WAREHOUSE_EQUAL, DAY, 0, 5)
    assert (part(fine), part(replace(fine, passed=False))) == (Decimal(1), Decimal(0))


def test_rules_have_names_of_their_own_and_a_known_alert() -> None:
    names = [rule.name for rule in r.FIXED]
    assert len(set(names)) == len(names)
    assert kind_of("completeness.user_id") == "quality_breach"
    assert (kind_of("freshness"), kind_of("volume")) == ("source_stale", "anomaly")


def test_the_weights_of_what_is_judged_of_a_source_sum_to_100() -> None:
    assert sum(weight for name, weight in r.WEIGHTS.items() if name != "reconciliation") == 100


def test_the_default_fields_are_fields_of_the_schemas_and_user_id_only_warns() -> None:
    chosen = settings().quality_fields
    assert len(chosen) == len(DEFAULT_QUALITY_FIELDS.split(","))
    for path in chosen:
        dataset, _, field = path.partition(".")
        assert field in KNOWN[dataset], path
    assert (chosen["transactions.user_id"], chosen["transactions.amount"]) == ("warning", "critical")


@pytest.mark.parametrize("text", ["user_id:warn", "transactions.user_id", "transactions.user_id:maybe", "a.b:warn,c"])
def test_a_field_that_is_not_written_as_it_must_be_is_told(text: str) -> None:
    with pytest.raises(Exception, match="QUALITY_FIELDS"):
        settings(QUALITY_FIELDS=text)


def test_the_webhook_does_not_show_in_the_settings() -> None:
    assert "secret" not in repr(settings(ALERT_WEBHOOK_URL="https://hook.example/secret"))
