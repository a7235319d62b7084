"""One mart that cannot be built: what does not wait for it is settled all the same, and the error is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from shared.adapters import marts as building
from shared.adapters.memory import MemoryPublisher
from shared.adapters.postgres import Session
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.adapters.warehouse_sql import marts
from shared.errors import DependencyUnavailable
from shared.settings import Settings
from tests.functions.harness import sale
from tests.functions.stages import Feeding
from tests.functions.warehousing import STATE, Bench, build, to_build


@dataclass
class WithoutUsers:
    """A warehouse in which no job of user_analytics runs."""

    warehouse: BigQueryWarehouse

    def run(self, sql: str, params: Any, job: str, **more: Any) -> Any:
        if "user_analytics" in job:
            raise DependencyUnavailable("resources exceeded")
        return self.warehouse.run(sql, params, job, **more)


def test_a_mart_that_fails_is_told_after_the_feeds_that_do_not_wait_for_it_are_settled(
    session: Session, cloud_settings: Settings
) -> None:
    feeding = Feeding(session, CloudStorage(cloud_settings.project))
    feeding.drain()
    bench = Bench(session, BigQueryWarehouse(cloud_settings), feeding, MemoryPublisher())
    feed = bench.feed(sale(timestamp="2025-06-19T10:00:00Z"))
    bench.load(feed)
    building.mark(session, marts(), {"sales.transactions": feed.days}, urgent=True)
    try:
        with pytest.raises(DependencyUnavailable, match="resources exceeded"):
            build(to_build(feed), session, WithoutUsers(bench.warehouse))  # type: ignore[arg-type]  # it has all it needs
        assert session.rows(STATE, feed.feed_id) == [("built",)]
    finally:
        session.rows("DELETE FROM pipeline.mart_dirty WHERE mart = 'marts.user_analytics'")
