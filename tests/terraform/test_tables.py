"""The folders of sql/bigquery, the local cloud and Terraform make the same tables; views need no order among them."""

from __future__ import annotations

import pytest
import yaml

from tests.terraform.tables import FOLDER, described, local_tables


def test_the_local_cloud_makes_the_tables_that_the_folders_describe() -> None:
    tables = {name: table for name, table in described().items() if table.view is None}
    assert len(tables) >= 10
    assert local_tables() == tables


@pytest.mark.parametrize("name", [name for name, table in described().items() if table.view is not None])
def test_a_view_reads_tables_only_so_that_views_are_made_in_any_order(name: str) -> None:
    metadata = yaml.safe_load((FOLDER / name.replace(".", "/") / "metadata.yaml").read_text(encoding="utf-8"))
    assert not [source for source in metadata["reads"] if described()[source].view is not None]


@pytest.mark.parametrize("name", [name for name, table in described().items() if table.view is not None])
def test_columns_of_a_view_are_nullable_as_bigquery_makes_them(name: str) -> None:
    """BigQuery refuses a description for a view's column in another mode.

    https://github.com/hashicorp/terraform-provider-google/issues/14220
    """
    assert {mode for _, _, mode in described()[name].columns} <= {"NULLABLE", "REPEATED"}
