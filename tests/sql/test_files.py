"""Every SQL file of the warehouse keeps the rules by which it means the same in BigQuery and here."""

from __future__ import annotations

import json
import re

import pytest
from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from tests.sql.files import FILES, NAMED, ROOT, TABLES, SqlFile

PAGE = "https://cloud.google.com/bigquery/docs/reference/standard-sql"
LIST = ROOT / "tests" / "sql" / "functions.txt"
ALLOWED = dict(line.split() for line in LIST.read_text(encoding="utf-8").splitlines())
"""The functions that may be used, each with the page of BigQuery's reference that documents it."""

PAGES = {
    "aggregate_functions", "approximate_aggregate_functions", "array_functions", "conditional_expressions",
    "conversion_functions", "data-types", "date_functions", "hash_functions", "json_functions",
    "mathematical_functions", "navigation_functions", "numbering_functions", "operators", "query-syntax",
    "string_functions", "timestamp_functions",
}  # fmt: skip
NOW = {"CURRENT_DATE", "CURRENT_DATETIME", "CURRENT_TIME", "CURRENT_TIMESTAMP"}
every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


@every_file
def test_a_file_parses_as_bigquery(file: SqlFile) -> None:
    assert file.trees
    assert not [tree for tree in file.trees if isinstance(tree, exp.Command)], "sqlglot did not understand a statement"


@every_file
def test_a_file_begins_with_what_it_is_for_its_parameters_and_its_result(file: SqlFile) -> None:
    purpose, parameters, result = file.header
    assert purpose.endswith(".")
    assert parameters.startswith("Parameters: ") or file.path.name == "view.sql", "only a view has none"
    assert result.startswith(("Result: ", "Run by "))


@every_file
def test_the_parameters_of_the_header_are_those_used(file: SqlFile) -> None:
    assert file.declared == file.used
    told = set(re.findall(r"\$\{(\w+)\}", " ".join(file.header)))
    assert told == file.placeholders


@every_file
def test_the_result_of_the_header_is_that_of_the_query(file: SqlFile) -> None:
    query = file.trees[-1]
    if file.declared_result is not None:
        assert isinstance(query, exp.Query)
        assert query.named_selects == file.declared_result


@every_file
def test_a_file_uses_only_allowed_functions(file: SqlFile) -> None:
    """A new one is looked up in BigQuery's reference and added to functions.txt with its page."""
    assert file.functions <= set(ALLOWED)


def test_every_allowed_function_is_used_and_documented() -> None:
    assert set(ALLOWED) == set().union(*(file.functions for file in FILES))
    assert set(ALLOWED.values()) <= PAGES, f"each page is one of {PAGE}"
    assert list(ALLOWED) == sorted(ALLOWED)


@every_file
def test_a_file_does_not_ask_for_the_time(file: SqlFile) -> None:
    assert not {token.text.upper() for token in file.tokens} & NOW, "dates are parameters"


@every_file
def test_a_file_names_its_columns(file: SqlFile) -> None:
    selected = [column for tree in file.trees for select in tree.find_all(exp.Select) for column in select.expressions]
    assert not [column.sql() for column in selected if column.is_star]


@every_file
def test_a_file_casts_by_name_and_uses_no_wildcard_or_hidden_column(file: SqlFile) -> None:
    assert TokenType.DCOLON not in {token.token_type for token in file.tokens}, "write CAST(x AS type)"
    assert not [name for name in file.tables if "*" in name]
    assert not [t.text for t in file.tokens if t.text.upper().startswith(("_PARTITION", "_TABLE_SUFFIX"))]


@every_file
def test_a_file_names_only_tables_that_are_there(file: SqlFile) -> None:
    known = {*TABLES, *(f"{NAMED}.{name}" for name in file.placeholders)}
    assert not [name for name in file.tables if name not in known and "INFORMATION_SCHEMA" not in name]


@every_file
def test_what_a_merge_inserts_is_every_column_of_its_table_in_their_order(file: SqlFile) -> None:
    for merge in (tree for tree in file.trees if isinstance(tree, exp.Merge)):
        inserted = [when.args["then"].this for when in merge.args["whens"].expressions if not when.args["matched"]]
        schema = json.loads((file.path.parent / "schema.json").read_text(encoding="utf-8"))
        names = [[column.name for column in each.expressions] for each in inserted if isinstance(each, exp.Tuple)]
        assert names == [[column["name"] for column in schema]]


@pytest.mark.parametrize("file", [file for file in FILES if file.builds], ids=lambda file: file.name)
def test_the_query_of_a_mart_gives_the_columns_of_its_schema_in_their_order(file: SqlFile) -> None:
    query = file.trees[-1]
    assert isinstance(query, exp.Query)
    columns = json.loads((file.path.parent / "schema.json").read_text(encoding="utf-8"))
    assert query.named_selects == [column["name"] for column in columns]


@every_file
def test_no_column_has_the_name_of_the_relation_that_it_is_read_from(file: SqlFile) -> None:
    """In BigQuery the name alone is then the whole row, as a struct; the local warehouse takes the column."""
    for select in (found for tree in file.trees for found in tree.find_all(exp.Select)):
        sources = [select.args.get("from_"), *(select.args.get("joins") or [])]
        relations = {source.this.alias_or_name.lower() for source in sources if source}
        columns = {
            column.name.lower()
            for column in select.find_all(exp.Column)
            if not column.table and column.find_ancestor(exp.Select) is select
        }
        assert not relations & columns
