"""docs/reliability.md tells the scale of a chaos run as the code has it."""

from __future__ import annotations

import re
from pathlib import Path

from local.chaos import cloud, host, load
from local.resources import ATTEMPTS, MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS
from shared.adapters.postgres import Timeouts
from shared.adapters.storage import CloudStorage
from shared.settings import load_settings

NEEDED = ("GOOGLE_CLOUD_PROJECT", "LANDING_BUCKET", "LAKE_BUCKET", "QUARANTINE_BUCKET")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


def seconds(limits: Timeouts) -> str:
    return ", ".join(f"{each // 1000}" for each in (limits.statement, limits.lock, limits.idle_in_transaction)) + " s"


def test_the_table_of_the_scale_is_that_of_the_code() -> None:
    least, most = MIN_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS
    chunk = load_settings(dict.fromkeys(NEEDED, "x")).chunk_rows
    wanted = {
        "Pub/Sub's backoff": (
            f"{least * cloud.BACKOFF_SCALE:g} to {most * cloud.BACKOFF_SCALE:g} s",
            f"{least} to {most} s",
        ),
        "attempts before the dead-letter topic": (str(ATTEMPTS), str(ATTEMPTS)),
        "a call without an answer": (f"{host.CALL_SECONDS:g} s", f"{CloudStorage.call_seconds:g} s"),
        "a statement, a lock, an idle transaction of Postgres": (seconds(host.LIMITS), seconds(Timeouts())),
        "rows in a chunk": (f"{load.CHUNK_ROWS:,}", f"{chunk:,}"),
        "connections of Postgres": (cloud.POSTGRES["max_connections"], "100"),
    }
    told = {
        what: (run, deployed)
        for what, run, deployed in re.findall(
            r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.M
        )
    }
    assert {what: told.get(what) for what in wanted} == wanted
