"""Buckets and their notification configs."""

from __future__ import annotations

import json
import re
import sqlite3

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.storage.errors import conflict, invalid, not_found, not_supported
from local.storage.events import TOPIC_PREFIX, TYPES
from local.storage.fields import bucket_fields, merged, timestamp, without_nulls
from local.storage.preconditions import Preconditions
from local.storage.resources import bucket_resource, notification_resource
from local.storage.service import Service, json_body

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
TOPIC = re.compile(r"//pubsub\.googleapis\.com/projects/[^/]+/topics/[^/]+")
NOTIFICATION_FIELDS = ("topic", "payload_format", "event_types", "object_name_prefix", "custom_attributes")


def find_bucket(service: Service, name: str, when: Preconditions, *, reading: bool = False) -> sqlite3.Row:
    """The bucket, if it stands as asked."""
    row = service.catalog.row("SELECT * FROM bucket WHERE name = ?", (name,))
    if row is None:
        raise not_found("The specified bucket does not exist.")
    when.check(0, row["metageneration"], reading=reading)
    return row


async def insert(service: Service, request: Request) -> Response:
    """Create a bucket."""
    body = await json_body(request)
    name = body.get("name")
    if not isinstance(name, str) or not BUCKET_NAME.fullmatch(name):
        raise invalid(f"Invalid bucket name: {name!r}")
    fields, now = without_nulls(bucket_fields(body)), timestamp()
    try:
        service.catalog.execute("INSERT INTO bucket VALUES (?, 1, ?, ?, ?)", (name, now, now, json.dumps(fields)))
    except sqlite3.IntegrityError:
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise conflict(message) from None
    return await get(service, request, name)


async def list_all(service: Service, request: Request) -> Response:
    """All buckets; one page, since a laptop has few."""
    prefix = request.query_params.get("prefix", "")
    rows = service.catalog.rows("SELECT * FROM bucket ORDER BY name")
    items = [bucket_resource(row, service.base) for row in rows if row["name"].startswith(prefix)]
    return JSONResponse({"kind": "storage#buckets", **({"items": items} if items else {})})


async def get(service: Service, request: Request, name: str) -> Response:
    """One bucket."""
    when = Preconditions.parse(request.query_params)
    return JSONResponse(bucket_resource(find_bucket(service, name, when, reading=True), service.base))


async def patch(service: Service, request: Request, name: str) -> Response:
    """Change some properties, or with PUT all of them."""
    changes = bucket_fields(await json_body(request))
    with service.catalog.transaction():
        row = find_bucket(service, name, Preconditions.parse(request.query_params))
        fields = without_nulls(changes) if request.method == "PUT" else merged(json.loads(row["fields"]), changes)
        service.catalog.execute(
            "UPDATE bucket SET fields = ?, updated = ?, metageneration = metageneration + 1 WHERE name = ?",
            (json.dumps(fields), timestamp(), name),
        )
    return JSONResponse(bucket_resource(find_bucket(service, name, Preconditions()), service.base))


async def delete(service: Service, request: Request, name: str) -> Response:
    """Delete an empty bucket with its notification configs."""
    with service.catalog.transaction():
        find_bucket(service, name, Preconditions.parse(request.query_params))
        if service.catalog.row("SELECT 1 FROM object WHERE bucket = ? LIMIT 1", (name,)):
            raise conflict("The bucket you tried to delete is not empty.")
        service.catalog.execute("DELETE FROM notification WHERE bucket = ?", (name,))
        service.catalog.execute("DELETE FROM bucket WHERE name = ?", (name,))
    return Response(status_code=204)


async def layout(service: Service, _request: Request, name: str) -> Response:
    """The layout that gcloud asks for before it copies: a flat bucket."""
    find_bucket(service, name, Preconditions())
    flat = {"hierarchicalNamespace": {"enabled": False}, "location": "US", "locationType": "multi-region"}
    return JSONResponse({"kind": "storage#storageLayout", "bucket": name, **flat})


async def service_account(_service: Service, _request: Request, project: str) -> Response:
    """The account that publishes notifications; no one checks it here."""
    email = f"service-{project}@gs-project-accounts.invalid"
    return JSONResponse({"kind": "storage#serviceAccount", "email_address": email})


async def insert_notification(service: Service, request: Request, name: str) -> Response:
    """Send the bucket's events to a topic from now on."""
    body = await json_body(request)
    find_bucket(service, name, Preconditions())
    if service.outbox is None:
        raise not_supported("notifications without Pub/Sub; start with --pubsub host:port")
    body.setdefault("payload_format", "JSON_API_V1")
    topic = str(body.get("topic", ""))
    body["topic"] = topic if topic.startswith("//") else TOPIC_PREFIX + topic
    if not TOPIC.fullmatch(body["topic"]):
        raise invalid("Invalid topic: //pubsub.googleapis.com/projects/PROJECT/topics/TOPIC is needed.")
    if body["payload_format"] not in ("JSON_API_V1", "NONE"):
        raise invalid("Invalid payload_format: JSON_API_V1 or NONE is needed.")
    if unknown := set(body.get("event_types") or ()) - set(TYPES):
        raise invalid(f"Invalid event_types: {', '.join(sorted(map(str, unknown)))}")
    fields = {key: body[key] for key in NOTIFICATION_FIELDS if body.get(key)}
    cursor = service.catalog.execute(
        "INSERT INTO notification (bucket, fields) VALUES (?, ?)", (name, json.dumps(fields))
    )
    return JSONResponse(notification_resource(_notification(service, name, str(cursor.lastrowid)), service.base))


def _notification(service: Service, bucket: str, number: str) -> sqlite3.Row:
    row = service.catalog.row("SELECT * FROM notification WHERE bucket = ? AND id = ?", (bucket, number))
    if row is None:
        raise not_found(f"Notification {number} of bucket {bucket} does not exist.")
    return row


async def list_notifications(service: Service, _request: Request, name: str) -> Response:
    """The notification configs of a bucket."""
    find_bucket(service, name, Preconditions())
    rows = service.catalog.rows("SELECT * FROM notification WHERE bucket = ? ORDER BY id", (name,))
    items = [notification_resource(row, service.base) for row in rows]
    return JSONResponse({"kind": "storage#notifications", **({"items": items} if items else {})})


async def get_notification(service: Service, _request: Request, name: str, number: str) -> Response:
    """One notification config."""
    find_bucket(service, name, Preconditions())
    return JSONResponse(notification_resource(_notification(service, name, number), service.base))


async def delete_notification(service: Service, _request: Request, name: str, number: str) -> Response:
    """Send no further events; those already queued are still delivered."""
    find_bucket(service, name, Preconditions())
    service.catalog.execute("DELETE FROM notification WHERE id = ?", (_notification(service, name, number)["id"],))
    return Response(status_code=204)
