"""What a build tells when checks find something, and when it breaks: each thing once, and again when it comes back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from shared.adapters import marts as building
from shared.adapters.marts import Facts
from shared.adapters.warehouse_sql import marts
from shared.domain.marts import waits_for
from shared.errors import DependencyUnavailable
from tests.integration.warehouse.world import NOTHING_CLOSED, World, sale

OLD, OTHER, NEW = date(2024, 11, 20), date(2024, 11, 21), date(2026, 5, 20)
DAILY = next(mart for mart in marts() if mart.short == "daily_sales_summary")


def occasions(world: World, check: str) -> list[str]:
    """By what the alerts of a check of the daily mart are told apart."""
    keys = "SELECT alert_key FROM pipeline.alert WHERE subject = $1 ORDER BY alert_id"
    return [key.rpartition("/")[2] for (key,) in world.session.rows(keys, f"{DAILY.name} {check}")]


def test_a_period_that_begins_to_fail_is_told_while_an_earlier_one_still_fails(empty: World) -> None:
    empty.build_after({**sale(1, OLD), "net": Decimal("999")})
    empty.build_after({**sale(2, NEW), "net": Decimal("999")})
    empty.build()
    empty.build_after({**sale(3, OTHER), "net": Decimal("999")})
    assert occasions(empty, "wrong_net") == [str(OLD), str(NEW), str(OTHER)]


def test_a_period_that_fails_again_after_it_was_mended_is_told_again(empty: World) -> None:
    for net in ("999", "10.00", "999"):
        empty.build_after({**sale(1, OLD), "net": Decimal(net)})
        empty.build()
    assert len(occasions(empty, "wrong_net")) == 2


def test_a_warning_is_told_once_while_it_goes_on_and_again_for_a_period_that_had_none(empty: World) -> None:
    def without_rate(number: int, day: date) -> dict[str, Any]:
        return {**sale(number, day), "rate": None, "amount_base": None, "gross_base": None, "net_base": None}

    empty.build_after(without_rate(1, OLD))
    empty.build_after(without_rate(1, OLD), without_rate(2, OLD))
    assert occasions(empty, "missing_rates") == [str(OLD)]
    empty.build_after(without_rate(1, OLD), without_rate(3, NEW))
    empty.build_after(without_rate(1, OLD), without_rate(3, NEW))
    assert occasions(empty, "missing_rates") == [str(OLD), str(NEW)]


def test_a_mart_that_raises_holds_up_no_other_and_is_told(empty: World) -> None:
    class Failing:
        def run(self, sql: str, params: object, job: str, **more: Any) -> object:
            if "daily_sales" in job:
                raise DependencyUnavailable("resources exceeded")
            return empty.warehouse.run(sql, params, job, **more)  # type: ignore[arg-type]

    empty.mark({"sales.transactions": empty.put(sale(1, OLD))})
    facts = Facts("GBP", NOTHING_CLOSED, 1 << 30)
    done = building.build_marts(empty.session, Failing(), marts(), facts, has_time=lambda: True)  # type: ignore[arg-type]
    assert [str(error) for error in done.errors] == ["resources exceeded"]
    assert DAILY.name in done.behind
    left = {mart for (mart,) in empty.session.rows("SELECT DISTINCT mart FROM pipeline.mart_dirty")}
    assert left == {mart.name for mart in marts() if mart is DAILY or waits_for(mart, {DAILY.name})}
