"""docs/api/topics.asyncapi.yaml is valid AsyncAPI and says what the messages and the table of functions say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from local.describe import TOPICS, described, message_structs, schemas
from local.table import read_table
from shared.schemas.rows import SCHEMAS
from tests.test_docs import FENCE, section

OFFICIAL = json.loads(Path(__file__).with_name("asyncapi-3.0.0.schema.json").read_text(encoding="utf-8"))
DOCUMENT: dict[str, Any] = yaml.safe_load(TOPICS.read_text(encoding="utf-8"))
PARTS = {"ObjectRange", "Payload", "Profile", "FeedTable"}
"""Structs that travel only inside another message."""


def found(reference: str) -> Any:
    """What a reference of the document points to."""
    place: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [reference for part in value.values() for reference in references(part)]
    return [reference for part in value for reference in references(part)] if isinstance(value, list) else []


def test_it_is_valid_by_the_official_schema() -> None:
    jsonschema.validate(DOCUMENT, OFFICIAL, cls=jsonschema.Draft7Validator)


@pytest.mark.parametrize("path", [("channels", "chunks", "address"), ("info", "title"), ("asyncapi",)])
def test_the_official_schema_refuses_what_is_wrong(path: tuple[str, ...]) -> None:
    broken = json.loads(json.dumps(DOCUMENT))
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = 17
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, OFFICIAL, cls=jsonschema.Draft7Validator)


def test_every_reference_resolves() -> None:
    for reference in references(DOCUMENT):
        assert found(reference) is not None, reference


def test_its_generated_part_is_current() -> None:
    text = TOPICS.read_text(encoding="utf-8")
    assert described(text) == text, "run `make describe`"


def test_every_topic_is_a_channel_with_a_message() -> None:
    assert {name: channel["address"] for name, channel in DOCUMENT["channels"].items()} == {
        topic: topic for topic in read_table().topics
    }
    assert all(channel["messages"] for channel in DOCUMENT["channels"].values())


def test_every_message_is_on_a_channel_or_part_of_one() -> None:
    assert DOCUMENT["components"]["schemas"] == schemas()
    on_channels = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}
    assert on_channels == set(DOCUMENT["components"]["messages"])
    assert {struct.__name__ for struct in message_structs()} - on_channels == PARTS


def test_every_function_receives_from_its_topics() -> None:
    received = {(name.partition(".")[0], op["channel"]["$ref"]) for name, op in DOCUMENT["operations"].items()}
    assert received == {(f.name, f"#/channels/{topic}") for f in read_table().functions for topic in f.topics}


@pytest.mark.parametrize("struct", message_structs(), ids=lambda struct: struct.__name__)
def test_the_example_of_a_message_fits_its_schema(struct: type[msgspec.Struct]) -> None:
    body = section("docs/contracts.md", f"### {struct.__name__}")
    (example,) = (json.loads(block) for kind, block in FENCE.findall(body) if kind == "json")
    schema = {"$ref": f"#/components/schemas/{struct.__name__}", "components": DOCUMENT["components"]}
    jsonschema.validate(example, schema)
    required = found(schema["$ref"])["required"]
    for name in required:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in example.items() if key != name}, schema)


def test_a_transaction_has_the_fields_of_its_schema() -> None:
    described_fields = found("#/components/messages/Transactions/x-transaction")
    fields = SCHEMAS["transactions"].fields
    assert set(described_fields["properties"]) == set(fields)
    assert set(described_fields["required"]) == {name for name, field in fields.items() if field.required}
