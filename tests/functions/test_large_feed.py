"""A feed that BigQuery would not take as one object, on a warehouse that refuses more than a few kilobytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from google.api_core.exceptions import BadRequest

from functions.enrich import main as enrich
from local.process import ServerProcess
from local.resources import create_warehouse
from local.stack import Endpoints
from shared.adapters.memory import MemoryPublisher
from shared.adapters.postgres import Session
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse, bigquery_client
from shared.entrypoint import Outcome
from shared.errors import Inconsistent
from shared.settings import Settings
from tests.functions.harness import sale, unique
from tests.functions.stages import Feeding
from tests.functions.test_refeed import order
from tests.functions.warehousing import Bench
from tests.integration.postgres.rows import Product, load_products

MOST = 4_000
DAY = "2025-07-01"
CATEGORY = 'tools, "large"\n"\nand small'
FOUND = "SELECT transaction_id, category FROM sales.transactions WHERE sale_date = @day ORDER BY transaction_id"


@pytest.fixture
def bench(
    endpoints: Endpoints, session: Session, cloud_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """The stages of the warehouse on one of their own, where a CSV may have MOST bytes."""
    options = ["--home", str(tmp_path / "home"), "--storage", endpoints.storage, "--csv-bytes", str(MOST)]
    server = ServerProcess("warehouse", ["local.warehouse", *options], {}, tmp_path)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{server.start()}")
    client = bigquery_client(cloud_settings)
    create_warehouse(client)
    feeding = Feeding(session, CloudStorage(cloud_settings.project))
    feeding.drain()
    yield Bench(session, BigQueryWarehouse(cloud_settings), feeding, MemoryPublisher())
    client.close()  # type: ignore[no-untyped-call]
    server.stop()


def test_a_feed_above_the_limit_is_refused_as_one_object_and_loaded_in_parts_each_row_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = unique("product")
    load_products(bench.session, Product(product, category=CATEGORY.replace("\n", "\\n")))
    rows = [sale(product_id=product, timestamp=f"{DAY}T10:00:00Z") for _ in range(40)]
    whole = bench.feed(*rows)
    assert whole.tables["transactions"].more == []
    with pytest.raises(BadRequest, match=r"not splittable .* Max allowed size is: 4000\."):
        bench.load(whole)

    monkeypatch.setattr(enrich, "PART_BYTES", MOST // 4)
    order(bench, DAY, DAY)
    feed = bench.feeding.feed()
    told = feed.tables["transactions"]
    assert len(told.objects) > 4
    older = {**feed.tables, "transactions": msgspec.structs.replace(told, more=[])}  # as an older release reads it
    with pytest.raises(Inconsistent, match="the feed says 40"):
        bench.load(msgspec.structs.replace(feed, tables=older))
    for _ in range(2):
        assert bench.load(feed) == Outcome("loaded", 40, 40)
    found = [
        (row["transaction_id"], row["category"]) for row in bench.warehouse.run(FOUND, {"day": date.fromisoformat(DAY)})
    ]
    assert found == sorted((row["transaction_id"], CATEGORY) for row in rows)
