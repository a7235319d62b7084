"""`sluice demo`: the main job in one command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.table import ROOT
from tests.integration.cli.conftest import Run
from tests.long import LONG

REAL_SAMPLE = ROOT.parent / "shared" / "tools" / "online_retail.py"


def test_the_demo_is_balanced_and_writes_its_summary(sluice: Run, folder: Path) -> None:
    done = sluice("demo", "--rows", "1000", "--json", str(folder / "summary.json"))
    assert done.returncode == 0, done.stderr
    assert "balanced" in done.stdout
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["balanced"] is True
    assert set(summary["sources"]) == {"transactions", "users", "products", "fx_rates"}
    for account in summary["sources"].values():
        outcomes = ("inserted", "updated", "unchanged", "superseded", "quarantined", "held")
        assert account["received"] == sum(account[name] for name in outcomes)
        assert sum(account["quarantine_reasons"].values()) == account["quarantined"]
    assert summary["postgres"] == summary["warehouse"]
    assert summary["marts"]["daily_sales_summary"]["days"] == 30
    assert summary["seconds"]["to_mart"] > summary["seconds"]["to_postgres"] > 0
    assert summary["peak_rss_mb"]["functions"] > 0


@pytest.mark.skipif(not LONG, reason="`make test-long` runs it; test_real_sample.py asserts the same counts")
@pytest.mark.skipif(
    not REAL_SAMPLE.exists(), reason="the real sample lies beside the project only where it is developed"
)
def test_the_real_sample_gives_the_known_counts_and_amount(sluice: Run, folder: Path) -> None:
    subprocess.run([sys.executable, str(REAL_SAMPLE), str(folder / "data")], check=True)
    done = sluice("demo", "--data", str(folder / "data"), "--json", str(folder / "summary.json"))
    assert done.returncode == 0, done.stderr
    summary = json.loads((folder / "summary.json").read_text())
    account = summary["sources"]["transactions"]
    assert {name: account[name] for name in ("received", "inserted", "unchanged", "quarantined")} == {
        "received": 9999, "inserted": 9652, "unchanged": 190, "quarantined": 157,
    }  # fmt: skip
    assert account["quarantine_reasons"] == {"conflicting_duplicate": 157}
    assert summary["postgres"] == summary["warehouse"] == {"transactions": 9652, "amount": {"GBP": "178941.54"}}


def test_a_folder_without_files_is_one_clear_line(sluice: Run, folder: Path) -> None:
    (folder / "empty").mkdir()
    done = sluice("demo", "--data", str(folder / "empty"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "transactions*" in done.stderr
