"""The parts of the chaos suite that need no cloud: kill points, their names, plans, and the tables of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.chaos.clock import LONGEST_SECONDS, interval
from local.chaos.load import Expected, make_round
from local.chaos.plan import ROUND, plan_round, points_to_arm
from local.chaos.points import Points
from local.chaos.report import BEGIN, END, markdown
from local.chaos.seams import is_write, words
from local.table import Function, read_table
from shared.adapters.queries import FOLDER


def test_an_armed_point_kills_whoever_reaches_it_once_and_is_counted(tmp_path: Path) -> None:
    died: list[str] = []
    worker, driver = Points(tmp_path, lambda: died.append("here")), Points(tmp_path)
    worker.reach("validate.publish.before")
    assert died == []
    driver.arm("validate.publish.before")
    assert driver.armed() == ["validate.publish.before"]
    worker.reach("validate.publish.before")
    worker.reach("validate.publish.before")
    assert died == ["here"]
    assert driver.kills() == {"validate.publish.before": 1}
    assert driver.armed() == []


def test_points_write_their_own_catalogue_and_can_be_disarmed(tmp_path: Path) -> None:
    worker, driver = Points(tmp_path, lambda: None), Points(tmp_path)
    for name in ("b", "a", "b"):
        worker.reach(name)
    driver.arm("a")
    assert driver.catalogue() == ["a", "b"]
    assert driver.disarm() == ["a"]
    assert driver.armed() == []


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("validated/transactions/3f0a9c2e55d1b7aa-000003.rows.0123456789abcdef", "validated_rows"),
        ("validated/users/3f0a9c2e55d1b7aa-000003.bad.0123456789abcdef", "validated_bad"),
        ("users/3f0a9c2e55d1b7aa-000003.0123456789abcdef.raw", "raw"),
        ("feed/000000000012/products.csv", "feed_csv"),
        ("products/20260301T030000000000Z-full.ndjson", "ndjson"),
    ],
)
def test_a_step_is_named_by_what_stays_of_an_objects_name(name: str, step: str) -> None:
    assert words(name) == step


def test_queries_that_only_read_or_lock_have_no_kill_point() -> None:
    writing = {path.stem for path in FOLDER.glob("*.sql") if is_write(path.stem)}
    assert {"register_file", "record_chunks", "load_message", "mark_feed", "store_watermark"} <= writing
    assert not {"read_file_state", "lock_file", "unlock_stage", "verify_tables", "total_transactions"} & writing


def test_the_same_seed_gives_the_same_rows_and_the_same_plan(tmp_path: Path) -> None:
    truths = [Expected(), Expected()]
    items = [make_round(tmp_path / str(n), "s", 1, 200, truth) for n, truth in enumerate(truths)]
    names = [[(item.kind, item.name) for item in made] for made in items]
    assert names[0] == names[1]
    assert truths[0] == truths[1]
    plans = [plan_round("s", 1, ROUND, made) for made in items]
    assert [(step.what, step.server, step.faults) for step in plans[0].steps] == [
        (step.what, step.server, step.faults) for step in plans[1].steps
    ]
    assert plans[0].weather == plans[1].weather


def test_points_where_few_died_come_first() -> None:
    assert points_to_arm("s", 1, ["a", "b", "c"], {"a": 2, "b": 1}, 2, enough=3) == ["c", "b"]
    assert points_to_arm("s", 1, ["a", "b", "c"], {"a": 2, "b": 1}, 3, enough=2) == ["c", "b"]
    assert points_to_arm("s", 1, ["a", "b"], {"a": 3, "b": 2}, 1, enough=2) == ["b"]


def test_the_clock_is_faster_and_no_job_waits_longer_than_its_limit() -> None:
    jobs = [function for function in read_table().functions if function.schedules]
    assert {interval(function) for function in jobs} <= {1.5, LONGEST_SECONDS}
    hourly = Function("x", "x", (), ("0 * * * *",), http=False, development_only=False, roles=())
    assert interval(hourly) == LONGEST_SECONDS


def test_tables_are_written_as_markdown() -> None:
    assert markdown(["a", "b"], [["1", ""]]) == "| a | b |\n|---|---|\n| 1 |  |\n"
    assert BEGIN != END
