"""What to change where a field is new: the schema, the COPY text, Postgres and BigQuery; and advice for the rest. Pure.

The names of fields come from outside, so only a plain identifier is ever written into code or SQL.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from shared.domain.copytext import COLUMNS
from shared.domain.profiling import OTHERS


@dataclass(frozen=True)
class Target:
    """Where the rows of a source are declared and kept."""

    schema: str
    columns: str
    tables: tuple[str, ...]
    loaders: str
    warehouse: str | None


TARGETS = {
    "transactions": Target(
        "TransactionRow", "TRANSACTION_COLUMNS", ("commerce.transactions", "pipeline.staged_transaction"),
        "load_transactions and load_message", "sales/transactions",
    ),
    "users": Target(
        "UserRow", "USER_COLUMNS", ("identity.contact", "pipeline.staged_user"), "load_users", None
    ),
    "products": Target(
        "ProductRow", "PRODUCT_COLUMNS", ("commerce.products", "pipeline.staged_product"), "load_products",
        "sales/products",
    ),
    "fx_rates": Target(
        "RateRow", "RATE_COLUMNS", ("commerce.fx_rates", "pipeline.staged_fx_rate"), "load_fx_rates", None
    ),
}  # fmt: skip
KINDS = {
    "string": ("f.Text({})", "text", "STRING"),
    "number": ("f.Number(digits=14, places=4, {})", "numeric(18,4)", "NUMERIC"),
    "boolean": ("f.Truth({})", "boolean", "BOOL"),
}
"""JSON type: field class, type of the column, type in BigQuery. Only types are kept, so nothing tighter is known."""
SAMPLES: dict[str, object] = {"number": 1, "boolean": True, "object": {}, "array": []}
"""A value of each JSON type but string, of which nothing can be said without the text."""
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_TAKEN = frozenset({
    "change_seq", "content_hash", "extra", "flags", "inferred", "recency", "source_chunk", "source_line", "user_key",
    "product_key", "version", "occurred_at", "last_event_at", "last_rank", "sale_date", "hash_salt", "feed_id",
    "updated_at", "quality_score",
})  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """The proposed change; a part that does not apply is None. `advice` is what a person must decide or do."""

    advice: list[str]
    schema: str | None = None
    copy_column: str | None = None
    migration: str | None = None
    migration_name: str | None = None
    bigquery: dict[str, str] | None = None
    files: dict[str, str] = field(default_factory=dict)
    """Part to the file that it belongs in."""


def column_of(name: str, source: str) -> str:
    """The column for a field: lower case with underscores, and no name that is taken."""
    column = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"{column}_given" if column in _TAKEN or column in COLUMNS[source] else column


def propose_new(source: str, name: str, types: Set[str], migration: int) -> Proposal:
    """For a field that no schema names. `migration` is the number of the next one."""
    kinds = types - {"null"}
    if name == OTHERS:
        return Proposal(
            ["It stands for names that do not look like names, or are too many. Look at the source's rows."]
        )
    if not _IDENTIFIER.fullmatch(name) or keyword.iskeyword(name):
        return Proposal(["Its name is no plain identifier, so no schema can name it: let the source rename it."])
    if len(kinds) != 1:
        told = " and ".join(sorted(kinds)) or "nothing but null"
        return Proposal([f"It came as {told}. A column has one type: let the source decide on one."])
    (kind,) = kinds
    if kind not in KINDS:
        return Proposal([f"It is an {kind}: it is well kept in extra (extra->'{name}'). Propose its parts one by one."])
    return _column(TARGETS[source], source, name, kind, migration)


def _column(target: Target, source: str, name: str, kind: str, migration: int) -> Proposal:
    field_class, sql_type, warehouse_type = KINDS[kind]
    column = column_of(name, source)
    alters = "\n".join(f'ALTER TABLE {table} ADD COLUMN "{column}" {sql_type};' for table in target.tables)
    warehouse = f"sql/bigquery/{target.warehouse}/schema.json" if target.warehouse else None
    advice = [
        f"shared/domain/normalising.py: add row[{name!r}] to the content of {source}, as the last value.",
        f"In the same migration: pipeline.{target.loaders} must carry {column}; begin from the newest definition.",
        "Deploy code and migration together: COPY refuses a text whose header is not that of the staging table.",
        "Rows that were loaded before keep the value in extra.",
    ]
    if warehouse:
        advice.append(
            f"sql/postgres/queries/enrich_{source}.sql and the table's merge.sql and replace.sql: carry {column}."
        )
    if source == "users":
        advice.append("A field of users may name a person: it stays in schema identity and out of BigQuery.")
    return Proposal(
        advice,
        schema=f"{name} = {field_class.format('load_default=None, allow_none=True')}",
        copy_column=f'"{column}",',
        migration=f"-- The field {name} of {source}.\n{alters}\n",
        migration_name=f"{migration:04d}_add_{source}_{re.sub('_+', '_', column).strip('_')}.sql",
        bigquery={
            "name": column, "type": warehouse_type, "mode": "NULLABLE", "description": f"{name} of {source}."
        } if warehouse else None,
        files={
            "schema": f"shared/schemas/rows.py, class {target.schema}",
            "copy_column": f"shared/domain/copytext.py, at the end of {target.columns}",
            **({"bigquery": warehouse} if warehouse else {}),
        },
    )  # fmt: skip


def propose_retyped(source: str, name: str, types: Iterable[str], was: Iterable[str], is_read: bool) -> Proposal:
    """For a known field that came with another JSON type; `is_read`: the schema takes that type as it is."""
    now, before = " and ".join(sorted(types)), " or ".join(sorted(set(was) - set(types))) or "another type"
    place = f"the class of {name} in shared/schemas/rows.py ({TARGETS[source].schema})"
    first = f"{name} was {before} and came as {now}. Ask the source whether it means it."
    if is_read:
        return Proposal([
            first,
            f"Nothing has to change: {place} reads {now} as it is, within the rule of the field. Accept the drift.",
        ])  # fmt: skip
    return Proposal([
        first,
        f"Rows that cannot be read are in quarantine or held (sluice quarantine list --source {source}).",
        f"If the source means it, let {place} read {now} too, with a test. The column stays, unless its type cannot "
        "hold the new values. If it does not, nothing has to change here.",
    ])  # fmt: skip


def propose_vanished(source: str, name: str, required: bool, new: Iterable[str]) -> Proposal:
    """For a known field that is missing in all rows; `new` are the fields that came instead, perhaps."""
    renamed = ", ".join(sorted(new))
    cost = "its rows are in quarantine or held" if required else "its rows are loaded without it"
    return Proposal([
        f"{name} is missing in all rows; it is {'required' if required else 'optional'}: {cost}.",
        f"It may have been renamed: no schema names {renamed} of {source}; shared/schemas/aliases.py declares names."
        if renamed else
        f"No new field of {source} is known that could be its new name.",
        "Let the source send it again under its name. If it is gone for good, "
        + ("make it optional in shared/schemas/rows.py and in the tables." if required else "accept the drift."),
    ])  # fmt: skip
