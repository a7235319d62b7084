"""The SQL and schemas of the warehouse, as they lie under sql/bigquery/<dataset>/<table>/."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from shared.domain.marts import Mart, in_order
from shared.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[2] / "sql" / "bigquery"


@cache
def warehouse_sql(table: str, name: str) -> str:
    """The text of sql/bigquery/<dataset>/<table>/<name>.sql for a table `dataset.table`."""
    path = FOLDER / table.replace(".", "/") / f"{name}.sql"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise ConfigError(f"there is no {path.relative_to(FOLDER)} under sql/bigquery") from exc


def monitoring_sql(name: str) -> str:
    """The text of sql/bigquery/monitoring/<name>.sql, which reads system views and belongs to no table."""
    return warehouse_sql("monitoring", name)


@cache
def feed_schema(table: str) -> tuple[dict[str, Any], ...]:
    """The columns of a feed for a table: all of its own but feed_id, which the merge adds."""
    path = FOLDER / table.replace(".", "/") / "schema.json"
    fields: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return tuple(field for field in fields if field["name"] != "feed_id")


def feed_table(feed_id: int, table: str) -> str:
    """The staging table of one feed of a table; made of a number and a name of ours, so it is safe inside SQL."""
    return f"staging.feed_{feed_id:d}_{table.rpartition('.')[2]}"


@cache
def marts() -> tuple[Mart, ...]:
    """The marts that build_marts builds, what a mart reads before it. Raises ConfigError for one that is unreadable."""
    found: list[Mart] = []
    for path in sorted((FOLDER / "marts").glob("*/metadata.yaml")):
        metadata: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        build = metadata.get("build")
        if build is None:
            continue
        try:
            found.append(
                Mart(
                    f"marts.{path.parent.name}", metadata["partition"], build["cadence"], build["period"],
                    tuple(build["reads"]),
                )
            )  # fmt: skip
        except KeyError as exc:
            raise ConfigError(f"{path.parent.name}/metadata.yaml has no {exc}") from exc
    return tuple(in_order(found))


@cache
def is_partitioned(table: str) -> bool:
    """Whether a table `dataset.table` is partitioned, by its metadata.yaml; a staging table has none and is not."""
    path = FOLDER / table.replace(".", "/") / "metadata.yaml"
    return path.exists() and "partition" in yaml.safe_load(path.read_text(encoding="utf-8"))
