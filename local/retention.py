"""Writes docs/data-retention.md: what is kept, how long and why, from shared/retention.yaml.

python -m local.retention
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import yaml

from local.table import ROOT

TABLE = ROOT / "shared" / "retention.yaml"
PAGE = ROOT / "docs" / "data-retention.md"
ENFORCED = {
    "lifecycle": "a rule of the bucket",
    "expiration": "the dataset's expiration",
    "setting": "a setting of the service",
    "nobody": "**nobody yet**",
}
OPENING = """\
# What is kept, how long and why

Written by `make describe` from [shared/retention.yaml](../shared/retention.yaml); not by hand. Terraform makes the
rules of the buckets from the same table.

- **people**: `named` where a row says who it is about; `key` where it has a key that names nobody by itself; `-` where
  it is about nobody.
- **enforced by**: who deletes it. **Nobody yet** means that the time is decided and no code deletes anything so far.
- Buckets with rows of people have no versions and no soft delete: what is deleted is gone. BigQuery can go back two
  days, and Google keeps seven more for a failure.
- Where two prefixes of a bucket fit an object, the shorter time wins.
- A time counts from the object's or the row's creation. `kept` is not deleted by time.
"""
TITLES = {
    "bucket": "Cloud Storage", "bigquery": "BigQuery", "postgres": "Postgres", "pubsub": "Pub/Sub",
    "backups": "Backups", "logs": "Logs",
}  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """One row of the table; `days` is None where it is kept."""

    store: str
    place: str
    holds: str
    personal: Literal["none", "key", "named"]
    days: int | None
    why: str
    enforced_by: str


def retention() -> list[Kept]:
    """The table, in its order."""
    rows: list[dict[str, Any]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["retention"]
    return [Kept(**row) for row in rows]


def page() -> str:
    """The whole page."""
    rows = retention()
    return "\n".join([OPENING, *(_section(title, [row for row in rows if row.store == store])
                                 for store, title in TITLES.items())])  # fmt: skip


def _section(title: str, rows: list[Kept]) -> str:
    head = ["| place | holds | people | days | why | enforced by |", "|---|---|---|---|---|---|"]
    return "\n".join([f"## {title}\n", *head, *map(_line, rows), ""])


def _line(row: Kept) -> str:
    people = "-" if row.personal == "none" else row.personal
    days, by = ("kept", "-") if row.days is None else (str(row.days), ENFORCED[row.enforced_by])
    return f"| `{row.place}` | {row.holds} | {people} | {days} | {row.why} | {by} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
