"""What arrives in another order, or more than once, ends the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.stack import Options
from tests.integration.pipeline.harness import Pipeline, pipeline, sample, wait_until

FORWARD = ("users", "products", "fx_rates", "transactions")
BACKWARD = ("transactions", "fx_rates", "products", "users")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clean and dirty rows in two files."""
    where = tmp_path_factory.mktemp("data") / "sample"
    sample(where, 3000, 0.15, seed=23, files=2)
    return where


@pytest.fixture(scope="module")
def expected(folder: Path) -> tuple[object, object, frozenset[str]]:
    """Facts, warehouse tables and conflicting ids of an undisturbed run with dimensions first."""
    with pipeline(Options(duplicate_rate=0.0)) as plain:
        plain.drop_folder(folder, order=FORWARD)
        plain.feed()
        conflicts = plain.conflicting_ids()
        assert plain.findings() == []
        return plain.business(conflicts), plain.tables(conflicts), conflicts


def test_transactions_before_their_users_products_and_rates_end_in_the_same_tables(
    folder: Path, expected: tuple[object, object, frozenset[str]]
) -> None:
    business, tables, conflicts = expected
    with pipeline() as backward:
        backward.drop_folder(folder, order=BACKWARD[:1])
        backward.feed()
        backward.drop_folder(folder, order=BACKWARD[1:3])
        backward.feed()
        backward.drop_folder(folder, order=BACKWARD[3:])
        backward.feed()
        assert backward.findings() == []
        assert backward.business(conflicts) == business
        assert backward.tables(conflicts) == tables


def test_all_messages_three_times_in_random_order_end_in_the_same_facts(
    folder: Path, expected: tuple[object, object, frozenset[str]]
) -> None:
    business, _, conflicts = expected
    with pipeline() as shaken:
        with shaken.control() as control:
            control.set_faults(copies=3, shuffle_window=50, jitter_seconds=0.2)
        shaken.drop_folder(folder, order=BACKWARD)
        shaken.feed()
        _settle(shaken)
        assert shaken.business(conflicts) == business
        assert shaken.findings() == []


def _settle(shaken: Pipeline) -> None:
    """Until the last copy of every message has been taken."""
    with shaken.control() as control:
        wait_until(lambda: all(stats.quiet for stats in control.stats().values()), "no message is under way")
