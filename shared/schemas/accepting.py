"""The accepting path: the fields of the schema, called one after the other without the bookkeeping of `load`.

It may only accept. A row that it does not accept goes to the schema, which alone rejects and words the errors; so the
schema stays the one declaration of the rules. It saves about half of the time of `Schema.load`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError
from marshmallow import missing as missing_

from shared.schemas.rows import SCHEMAS, TOGETHER

RowCheck = Callable[[dict[str, Any]], dict[str, Any]]


def _accepting(source: str) -> RowCheck:
    schema = SCHEMAS[source]
    together = TOGETHER.get(source)
    deserializers = [(name, field.deserialize) for name, field in schema.fields.items()]

    def check(row: dict[str, Any]) -> dict[str, Any]:
        get = row.get
        try:
            clean = {name: deserialize(get(name, missing_)) for name, deserialize in deserializers}
            if together:
                together(clean)
        except ValidationError:
            return dict(schema.load(row))
        return clean

    return check


CHECKS: dict[str, RowCheck] = {source: _accepting(source) for source in SCHEMAS}
"""For each source: a row to its cleaned fields. Raises marshmallow's ValidationError, worded by the schema."""
