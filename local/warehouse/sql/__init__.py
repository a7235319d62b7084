"""BigQuery's SQL, translated for DuckDB: what is known to mean the same is translated, all else is refused.

    for node in parse_script(text):
        statement = translate(node, schema=…, default_project=…, default_dataset=…, parameters=…, variables=…)

Run SESSION_SETUP once on each connection: the translation relies on these settings.
"""

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.kinds import ParamType, SqlType, array_of, scalar
from local.warehouse.sql.model import (
    AlterDetails,
    AssertDetails,
    Column,
    CreateDetails,
    DropDetails,
    IfDetails,
    PartitionCondition,
    PartitionFilter,
    ReplaceDetails,
    SchemaDetails,
    SchemaLookup,
    Statement,
    TableInfo,
    TableOptions,
    TableRef,
    VariableDetails,
)
from local.warehouse.sql.parse import ParsedNode, parse_script
from local.warehouse.sql.translate import SESSION_SETUP, translate

__all__ = [
    "SESSION_SETUP",
    "AlterDetails",
    "AssertDetails",
    "Column",
    "CreateDetails",
    "DropDetails",
    "IfDetails",
    "InvalidSql",
    "ParamType",
    "ParsedNode",
    "PartitionCondition",
    "PartitionFilter",
    "ReplaceDetails",
    "SchemaDetails",
    "SchemaLookup",
    "SqlType",
    "Statement",
    "TableInfo",
    "TableOptions",
    "TableRef",
    "UnsupportedSql",
    "VariableDetails",
    "array_of",
    "parse_script",
    "scalar",
    "translate",
]
