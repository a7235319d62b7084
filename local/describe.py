"""Writes what docs/api/topics.asyncapi.yaml says of messages and receivers: from shared/messages.py and functions.yaml.

    python -m local.describe

The part above the marker is written by hand: the channels and which message goes where.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import msgspec
import yaml

from local.table import ROOT, read_table
from shared import messages

TOPICS = ROOT / "docs" / "api" / "topics.asyncapi.yaml"
MARKER = (
    "  # From here on written by `python -m local.describe`, from shared/messages.py and functions/functions.yaml.\n"
)


def message_structs() -> list[type[msgspec.Struct]]:
    """Every struct of shared/messages.py, in its order."""
    return [found for found in vars(messages).values() if isinstance(found, type) and issubclass(found, msgspec.Struct)]


def schemas() -> dict[str, Any]:
    """The JSON Schema of each struct, by its name."""
    _, components = msgspec.json.schema_components(message_structs(), ref_template="#/components/schemas/{name}")
    plain: dict[str, dict[str, Any]] = msgspec.to_builtins(components)
    return {name: {**schema, "description": inspect.cleandoc(schema["description"])} for name, schema in plain.items()}


def operations() -> dict[str, Any]:
    """Which function receives from which channel, as the table of functions says."""
    return {
        f"{function.name}.{topic}": {"action": "receive", "channel": {"$ref": f"#/channels/{topic}"}}
        for function in read_table().functions
        for topic in function.topics
    }


def described(text: str) -> str:
    """The document with its generated part as the code is now."""
    by_hand, marker, _ = text.partition(MARKER)
    if not marker:
        raise ValueError(f"{TOPICS.name} has no line {MARKER.strip()!r}")
    below = "".join(f"  {line}\n" for line in _yaml({"schemas": schemas()}).splitlines())
    return by_hand + marker + below + _yaml({"operations": operations()})


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(value: dict[str, Any]) -> str:
    made: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
    return made


def main(path: Path = TOPICS) -> None:
    """Bring the file up to date."""
    path.write_text(described(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
