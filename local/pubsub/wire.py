"""The wire: protobuf classes and gRPC registration, so that everything behind it is plain Python.

No stubs are generated: the client library carries the message classes, and a table says which of them each method
takes and gives. A method of the real service that is not done here is refused by its name.
"""

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
import grpc.aio  # type: ignore[import-untyped]
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from local.pubsub.refusals import Refused, invalid, unsupported

Proto = Any  # a protobuf message, class or descriptor: the library makes them at run time, without types
Methods = dict[str, tuple[str, str]]  # method: the messages it takes and gives
Grpc = Any  # grpcio's own objects, which carry no types either

Empty = empty_pb2.Empty

PUBLISHER: Methods = {
    "CreateTopic": ("Topic", "Topic"),
    "GetTopic": ("GetTopicRequest", "Topic"),
    "UpdateTopic": ("UpdateTopicRequest", "Topic"),
    "ListTopics": ("ListTopicsRequest", "ListTopicsResponse"),
    "ListTopicSubscriptions": ("ListTopicSubscriptionsRequest", "ListTopicSubscriptionsResponse"),
    "DeleteTopic": ("DeleteTopicRequest", "Empty"),
    "Publish": ("PublishRequest", "PublishResponse"),
}
SUBSCRIBER: Methods = {
    "CreateSubscription": ("Subscription", "Subscription"),
    "GetSubscription": ("GetSubscriptionRequest", "Subscription"),
    "UpdateSubscription": ("UpdateSubscriptionRequest", "Subscription"),
    "ListSubscriptions": ("ListSubscriptionsRequest", "ListSubscriptionsResponse"),
    "DeleteSubscription": ("DeleteSubscriptionRequest", "Empty"),
    "ModifyPushConfig": ("ModifyPushConfigRequest", "Empty"),
    "ModifyAckDeadline": ("ModifyAckDeadlineRequest", "Empty"),
    "Acknowledge": ("AcknowledgeRequest", "Empty"),
    "Pull": ("PullRequest", "PullResponse"),
    "StreamingPull": ("StreamingPullRequest", "StreamingPullResponse"),
}
REFUSED = {
    "google.pubsub.v1.Publisher": ("ListTopicSnapshots", "DetachSubscription"),
    "google.pubsub.v1.Subscriber": (
        "GetSnapshot",
        "ListSnapshots",
        "CreateSnapshot",
        "UpdateSnapshot",
        "DeleteSnapshot",
        "Seek",
    ),
    "google.pubsub.v1.SchemaService": (
        "CreateSchema",
        "GetSchema",
        "ListSchemas",
        "ListSchemaRevisions",
        "CommitSchema",
        "RollbackSchema",
        "DeleteSchemaRevision",
        "DeleteSchema",
        "ValidateSchema",
        "ValidateMessage",
    ),
    "google.iam.v1.IAMPolicy": ("GetIamPolicy", "SetIamPolicy", "TestIamPermissions"),
}

REQUEST_LIMIT_BYTES = 64 * 2**20
"""Well above the service's own 10 MB, so that too large a message is refused by us, in words."""


def message(name: str) -> Proto:
    """The protobuf class of a Pub/Sub message, by the name the API reference gives it."""
    return Empty if name == "Empty" else getattr(types, name).pb()


def updated(present: Proto, wanted: Proto, mask: Proto) -> Proto:
    """A copy of a resource with the fields that an update mask names taken from another."""
    changed = type(present).FromString(present.SerializeToString())
    try:
        mask.MergeMessage(wanted, changed, replace_message_field=True, replace_repeated_field=True)
    except ValueError as error:
        raise invalid(f"Invalid update_mask provided in the request: {error}.") from error
    return changed


def new_server() -> Grpc:
    return grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", REQUEST_LIMIT_BYTES),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
    )


def register(server: Grpc, service: str, methods: Methods, servicer: object) -> None:
    """Answer every method of a service with the servicer's method of that name in snake case."""
    handlers = {name: _handler(name, messages, servicer) for name, messages in methods.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))


def register_refusals(server: Grpc) -> None:
    """Answer what the real service does and this one does not with a sentence instead of "Method not found!"."""
    for service, names in REFUSED.items():
        refusals = {name: _refusal(f"{service.rpartition('.')[2]}.{name}") for name in names}
        register_bytes(server, service, refusals)


def register_bytes(server: Grpc, service_name: str, methods: dict[str, Callable[[bytes], Awaitable[bytes]]]) -> None:
    """Answer methods that carry plain bytes, for a service that has no protobuf description."""
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(_answering(answer, timed=False)) for name, answer in methods.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service_name, handlers),))


def _handler(name: str, messages: tuple[str, str], servicer: object) -> Grpc:
    answer = getattr(servicer, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
    request, response = (message(each) for each in messages)
    codec = {"request_deserializer": request.FromString, "response_serializer": response.SerializeToString}
    if inspect.isasyncgenfunction(answer):
        return grpc.stream_stream_rpc_method_handler(_streaming(answer), **codec)
    return grpc.unary_unary_rpc_method_handler(_answering(answer, timed=name == "Pull"), **codec)


def _refusal(method: str) -> Callable[[bytes], Awaitable[bytes]]:
    async def refuse(_request: bytes) -> bytes:
        raise unsupported(method)

    return refuse


def _answering(answer: Callable[..., Awaitable[Any]], *, timed: bool) -> Callable[[Any, Any], Awaitable[Any]]:
    async def call(request: Proto, context: Grpc) -> Proto:
        try:
            return await (answer(request, context.time_remaining()) if timed else answer(request))
        except Refused as refused:
            await context.abort(grpc.StatusCode[refused.code], refused.message)

    return call


def _streaming(answer: Callable[[AsyncIterator[Proto]], AsyncIterator[Proto]]) -> Callable[[Any, Any], Any]:
    async def call(requests: AsyncIterator[Proto], context: Grpc) -> AsyncIterator[Proto]:
        try:
            async for response in answer(requests):
                yield response
        except Refused as refused:
            await context.abort(grpc.StatusCode[refused.code], refused.message)

    return call
