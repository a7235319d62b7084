"""The commands against a cloud that `sluice up` keeps running."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from local.stack import running_cloud
from tests.integration.cli.conftest import Run
from tests.integration.pipeline.harness import row


@pytest.fixture(scope="module")
def loaded(here: Run, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home, with one file of three good rows and a bad one, fed to the warehouse."""
    file = tmp_path_factory.mktemp("cli") / "transactions-1.ndjson"
    file.write_bytes(b"\n".join([row("c-1"), row("c-2"), b"{broken", row("c-3", amount="2.50")]))
    done = here("drop", str(file), "--wait", "--home", str(home))
    assert done.returncode == 0, done.stderr
    assert here("trigger", "enrich", "--home", str(home)).returncode == 0
    deadline = time.monotonic() + 60
    while here("verify", "--home", str(home)).returncode:
        assert time.monotonic() < deadline, "the feed does not reach the mart"
    return home


def test_status_tells_what_became_of_the_rows(sluice: Run, loaded: Path) -> None:
    told = json.loads(sluice("status", "--json", "--home", str(loaded)).stdout)
    account = told["sources"]["transactions"]
    assert (account["received"], account["inserted"], account["quarantined"], account["pending"]) == (4, 3, 1, 0)
    assert [file["state"] for file in told["files"]] == ["cut"]


def test_quarantine_lists_the_bad_row_and_shows_its_raw_text(here: Run, loaded: Path) -> None:
    (bad,) = json.loads(here("quarantine", "list", "--json", "--home", str(loaded)).stdout)
    assert (bad["reason"], bad["line"]) == ("malformed_json", 3)
    shown = here("quarantine", "show", bad["chunk_id"], "3", "--json", "--home", str(loaded))
    assert json.loads(shown.stdout)["raw"] == "{broken"


def test_sql_and_query_see_the_same_money(here: Run, loaded: Path) -> None:
    postgres = here("sql", "SELECT sum(amount)::text AS s FROM commerce.transactions", "--json", "--home", str(loaded))
    warehouse = here(
        "query", "SELECT SUM(amount) AS s FROM marts.daily_sales_summary WHERE sale_date > '2020-01-01'", "--json",
        "--home", str(loaded),
    )  # fmt: skip
    assert float(json.loads(postgres.stdout)[0]["s"]) == float(json.loads(warehouse.stdout)[0]["s"]) == 12.5


def test_sql_refuses_to_write(here: Run, loaded: Path) -> None:
    done = here("sql", "DELETE FROM commerce.transactions", "--home", str(loaded))
    assert done.returncode == 1
    assert "read-only" in done.stderr


def test_published_rows_arrive_without_a_file(here: Run, loaded: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.ndjson"
    events.write_bytes(b"\n".join(row(f"event-{n}") for n in range(5)))
    assert json.loads(here("publish", str(events), "--batch", "2", "--json", "--home", str(loaded)).stdout) == {
        "rows": 5, "messages": 3,
    }  # fmt: skip
    deadline = time.monotonic() + 30
    count = "SELECT count(*)::int AS n FROM commerce.transactions WHERE transaction_id LIKE 'event-%'"
    while json.loads(here("sql", count, "--json", "--home", str(loaded)).stdout) != [{"n": 5}]:
        assert time.monotonic() < deadline, "the published rows do not arrive"


def test_env_prints_what_other_programs_need(here: Run, loaded: Path) -> None:
    variables = json.loads(here("env", "--json", "--home", str(loaded)).stdout)
    assert {"STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "DATABASE_URL"} <= set(variables)


def test_the_simulated_api_of_the_cloud_is_told_to_fail_and_shows_what_it_served(here: Run, loaded: Path) -> None:
    endpoints = running_cloud(loaded)
    assert endpoints
    words = ("--script", "5xx", "--fault", "429=1", "--schema", "drop:price", "--retry-after", "7")
    assert here("simulate", "api", *words, "--home", str(loaded)).returncode == 0
    codes = [httpx.get(f"{endpoints.product_api}/products").status_code for _ in range(3)]
    assert codes[0] >= 500
    assert codes[1:] == [429, 429]
    told = json.loads(here("simulate", "api", "--show", "--json", "--home", str(loaded)).stdout)
    assert told["plan"]["schema"] == [{"kind": "drop", "field": "price", "to": ""}]
    assert (told["served"]["faults"], told["served"]["early_requests"]) == ({"429": 2, "5xx": 1}, 1)
    assert here("simulate", "api", "--clear", "--home", str(loaded)).returncode == 0
    assert httpx.get(f"{endpoints.product_api}/products").status_code == 200


@pytest.mark.parametrize(
    "words",
    [
        ("drop", "no-such-file"),
        ("drop", __file__),
        ("trigger", "no_such_job"),
        ("quarantine", "show", "no-such-chunk", "1"),
        ("nonsense",),
        ("status", "--most", "none"),
        ("simulate", "api", "--fault", "418=0.1"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(here: Run, loaded: Path, words: tuple[str, ...]) -> None:
    done = here(*words, *([] if words == ("nonsense",) else ["--home", str(loaded)]))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_without_a_cloud_a_command_says_how_to_start_one(sluice: Run, tmp_path: Path) -> None:
    done = sluice("status", "--home", str(tmp_path))
    assert done.returncode == 2
    assert "sluice up" in done.stderr
