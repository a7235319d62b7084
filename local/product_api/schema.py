"""Changes of the catalogue's schema: a field is renamed, retyped, dropped or added, in every product served."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

Change = Literal["rename", "retype", "drop", "add"]
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
_FORMS = {
    "rename": (rf"({_NAME})=({_NAME})", "rename:OLD=NEW"),
    "retype": (rf"({_NAME})=([a-z]+)", "retype:FIELD=TYPE"),
    "drop": (rf"({_NAME})()", "drop:FIELD"),
    "add": (rf"({_NAME})=([a-z]+)", "add:FIELD=TYPE"),
}
_SAMPLES = {"string": "simulated", "number": 1, "boolean": True, "null": None, "array": [], "object": {}}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


class SchemaChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change; `to` is the new name or the JSON type, empty for a dropped field."""

    kind: Change
    field: str
    to: str = ""


def parse_change(word: str) -> SchemaChange:
    """The change that a word such as `retype:price=string` describes. Raises ValueError."""
    kind, _, rest = word.partition(":")
    if kind not in _FORMS:
        raise ValueError(f"schema {word!r}: write one of {', '.join(form for _, form in _FORMS.values())}")
    pattern, form = _FORMS[kind]
    found = re.fullmatch(pattern, rest)
    if found is None:
        raise ValueError(f"schema {word!r}: write {form}")
    if kind in ("retype", "add") and found[2] not in _SAMPLES:
        raise ValueError(f"schema {word!r}: a type is one of {', '.join(_SAMPLES)}")
    return msgspec.convert({"kind": kind, "field": found[1], "to": found[2]}, SchemaChange)


def changed(item: bytes, changes: Sequence[SchemaChange]) -> bytes:
    """The product with the changes made in their order. What is no object stays; other values stay as written."""
    if not changes or not item.lstrip().startswith(b"{"):
        return item
    fields = {name: bytes(value) for name, value in msgspec.json.decode(item, type=dict[str, msgspec.Raw]).items()}
    for change in changes:
        fields = _MAKE[change.kind](fields, change)
    return b"{" + b",".join(json.dumps(name).encode() + b":" + value for name, value in fields.items()) + b"}"


Fields = dict[str, bytes]


def _rename(fields: Fields, change: SchemaChange) -> Fields:
    return {(change.to if name == change.field else name): value for name, value in fields.items()}


def _retype(fields: Fields, change: SchemaChange) -> Fields:
    return {name: (_as(change.to, value) if name == change.field else value) for name, value in fields.items()}


def _drop(fields: Fields, change: SchemaChange) -> Fields:
    return {name: value for name, value in fields.items() if name != change.field}


def _add(fields: Fields, change: SchemaChange) -> Fields:
    return {**fields, change.field: json.dumps(_SAMPLES[change.to]).encode()}


_MAKE: dict[str, Callable[[Fields, SchemaChange], Fields]] = {
    "rename": _rename, "retype": _retype, "drop": _drop, "add": _add,
}  # fmt: skip


def _as(kind: str, value: bytes) -> bytes:
    """The value in another JSON type, keeping its digits or its text where the type can hold them."""
    text = value.decode().strip()
    inner = json.loads(text) if text.startswith('"') else text
    if kind == "string":
        return json.dumps(inner).encode()
    if kind == "number" and _NUMBER.fullmatch(inner):
        return inner.encode()
    if kind == "array":
        return b"[" + value + b"]"
    if kind == "object":
        return b'{"value":' + value + b"}"
    return json.dumps(_SAMPLES[kind]).encode()
