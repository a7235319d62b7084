"""The mart of the night, when its build breaks off, is kept back, or is marked again all day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from functions.build_marts import main as build_marts
from shared.adapters import marts as building
from shared.adapters.marts import tell_freshness
from shared.adapters.memory import MemoryPublisher, MemoryStore
from shared.adapters.ports import Warehouse
from shared.adapters.warehouse_sql import marts
from shared.errors import DependencyUnavailable
from tests.functions.failing import Failing
from tests.functions.harness import settings
from tests.integration.warehouse.world import World, sale

USERS = next(mart for mart in marts() if mart.cadence == "nightly")
MONTHS = [date(2024 + number // 12, number % 12 + 1, 1) for number in range(13)]
DIRTY = "SELECT period FROM pipeline.mart_dirty WHERE mart = $1 ORDER BY period"
RUNS_OF_A_BUILD = 3
"""Its query, its checks, its replacement."""


@pytest.fixture
def night(world: World) -> World:
    """Thirteen months of the mart are out of date since yesterday: one more than one build takes."""
    world.reset()
    rows = [sale(number, month) for number, month in enumerate(MONTHS)]
    building.mark(world.session, [USERS], {"sales.transactions": world.put(*rows)}, urgent=False)
    since_yesterday(world)
    return world


def since_yesterday(world: World) -> None:
    world.session.rows("UPDATE pipeline.mart_dirty SET marked_at = marked_at - interval '1 day'")


def run(world: World, warehouse: object = None) -> None:
    """build_marts by its schedule."""
    chosen: Warehouse = warehouse or world.warehouse  # type: ignore[assignment]
    build_marts.run(
        None, now=datetime.now(UTC), session=world.session, store=MemoryStore(), warehouse=chosen,
        publisher=MemoryPublisher(), settings=settings(),
    )  # fmt: skip


def dirty(world: World) -> list[date]:
    return [period for (period,) in world.session.rows(DIRTY, USERS.name)]


def break_off(world: World) -> None:
    with pytest.raises(DependencyUnavailable):
        run(world, Failing(world.warehouse, "run", at=RUNS_OF_A_BUILD + 1))
    assert dirty(world) == MONTHS[-1:]


def test_a_night_that_breaks_off_after_its_first_build_goes_on_with_the_next_run_of_the_day(night: World) -> None:
    break_off(night)
    run(night)
    assert dirty(night) == []
    assert len(night.rows(USERS)) == len(MONTHS)


def test_how_late_the_marts_are_is_told_also_by_a_run_that_breaks_off(night: World) -> None:
    with capture_logs() as logged:
        break_off(night)
    late = {line["name"]: line["late"] for line in logged if line["event"] == "freshness"}
    assert late == {mart.name: False for mart in marts()}


def test_a_night_goes_on_also_where_a_feed_has_marked_the_month_again_since(night: World) -> None:
    break_off(night)
    building.mark(night.session, [USERS], {"sales.transactions": MONTHS[-1:]}, urgent=False)
    run(night)
    assert dirty(night) == []


def test_a_night_that_is_through_does_not_begin_again_for_what_came_after_it(night: World) -> None:
    run(night)
    building.mark(night.session, [USERS], {"sales.transactions": MONTHS[:1]}, urgent=False)
    run(night)
    assert dirty(night) == MONTHS[:1]


def test_a_month_that_was_kept_back_is_not_tried_again_before_the_next_night(night: World) -> None:
    night.put({**sale(0, MONTHS[0]), "net_base": 999})
    run(night)
    builds = night.session.rows("SELECT count(*)::int FROM pipeline.mart_build")
    run(night)
    assert dirty(night) == MONTHS[:1]
    assert night.session.rows("SELECT count(*)::int FROM pipeline.mart_build") == builds


def test_a_period_that_is_marked_again_waits_since_its_first_mark(night: World) -> None:
    since_yesterday(night)
    building.mark(night.session, [USERS], {"sales.transactions": MONTHS}, urgent=False)
    with capture_logs() as logged:
        tell_freshness(night.session, [USERS], datetime.now(UTC))
    assert [(line["late"], line["age_seconds"] > timedelta(hours=47).total_seconds()) for line in logged] == [
        (True, True)
    ]
