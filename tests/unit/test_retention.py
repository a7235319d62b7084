"""The table of retention covers what there is: prefixes of objects, tables of Postgres and of BigQuery."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from local.retention import ENFORCED, PAGE, TITLES, page, retention
from local.table import ROOT
from shared.domain.sources import SOURCES

_NAMED_OBJECT = re.compile(r'f"([a-z]+)/\{|"(extraction)/')
_NO_OBJECT = {"projects"}


def _prefixes(bucket: str) -> set[str]:
    return {
        row.place.split("/")[1] for row in retention() if row.store == "bucket" and row.place.startswith(f"{bucket}/")
    }


def _places(store: str) -> list[str]:
    """Patterns of tables: `pipeline.a, b` is `pipeline.a` and `pipeline.b`."""
    found = []
    for row in retention():
        if row.store == store:
            schema, _, tables = row.place.partition(".")
            found += [f"{schema}.{table}" for table in tables.split(", ")]
    return found


def test_every_prefix_that_the_code_writes_to_the_lake_has_its_time() -> None:
    written = set()
    for path in [*ROOT.glob("shared/**/*.py"), *ROOT.glob("functions/*/main.py")]:
        for match in _NAMED_OBJECT.finditer(path.read_text(encoding="utf-8")):
            written.add(match[1] or match[2])
    assert written - _NO_OBJECT == _prefixes("lake") - {"simulation"}


def test_every_source_has_its_time_in_landing() -> None:
    assert _prefixes("landing") == set(SOURCES)


def test_rows_of_users_are_never_kept_longer_than_a_month() -> None:
    named = [row for row in retention() if row.store == "bucket" and "/users/" in row.place]
    assert len(named) == 5
    assert all(row.personal == "named" and row.days is not None and row.days <= 30 for row in named)


def test_every_table_of_postgres_has_its_row() -> None:
    tables = set()
    for path in ROOT.glob("sql/postgres/migrations/*.sql"):
        tables |= set(
            re.findall(r"^CREATE (?:UNLOGGED )?TABLE ([a-z_]+\.[a-z_]+)", path.read_text(encoding="utf-8"), re.M)
        )
    assert len(tables) > 30
    places = _places("postgres")
    assert {table for table in tables if not any(fnmatchcase(table, place) for place in places)} == set()


def test_every_place_in_postgres_and_bigquery_is_there() -> None:
    datasets = {path.parent.parent.name for path in ROOT.glob("sql/bigquery/*/*/schema.json")} | {"staging"}
    assert {place.partition(".")[0] for place in _places("bigquery")} == datasets
    migrations = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("sql/postgres/migrations/*.sql"))
    for place in _places("postgres"):
        wanted = place.removesuffix("*")
        assert re.search(rf"TABLE {re.escape(wanted)}", migrations), place


def test_every_row_is_written_in_known_words() -> None:
    for row in retention():
        assert row.store in TITLES, row
        assert row.personal in ("none", "key", "named"), row
        assert row.enforced_by in ENFORCED, row
        assert row.days is not None or row.enforced_by == "nobody", f"{row.place}: nothing deletes what is kept"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make describe`"
