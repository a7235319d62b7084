"""What a topic, a subscription and a message may look like; everything refused here is refused in words.

A setting that changes what is delivered and is not done here is refused rather than ignored: a test that passes here
must not depend on something that never happened. Settings without such an effect (expiry of unused subscriptions,
keys, regions, OIDC tokens) are kept and shown.
"""

from collections.abc import Iterable, Sequence

from local.pubsub.backlog import Policy
from local.pubsub.filters import parse_filter
from local.pubsub.http_post import Endpoint
from local.pubsub.names import check_labels, check_name
from local.pubsub.refusals import invalid, unsupported
from local.pubsub.retry import AT_ONCE, PUSH_DEFAULT, Backoff
from local.pubsub.wire import Proto

REQUEST_LIMIT_BYTES = 10_000_000
REQUEST_LIMIT_MESSAGES = 1_000
ATTRIBUTE_LIMIT = 100
ATTRIBUTE_KEY_LIMIT_BYTES = 256
ATTRIBUTE_VALUE_LIMIT_BYTES = 1_024
ACK_DEADLINE_DEFAULT, ACK_DEADLINE_LEAST, ACK_DEADLINE_MOST = 10, 10, 600
MINUTE, DAY = 60, 86_400
RETENTION_DEFAULT, RETENTION_LEAST, RETENTION_MOST = 7 * DAY, 10 * MINUTE, 31 * DAY
EXPIRY_DEFAULT = 31 * DAY
BACKOFF_MINIMUM_DEFAULT, BACKOFF_MAXIMUM_DEFAULT, BACKOFF_MOST = 10, 600, 600
ATTEMPTS_DEFAULT, ATTEMPTS_LEAST, ATTEMPTS_MOST = 5, 5, 100

TOPIC_UNSUPPORTED = ("schema_settings", "ingestion_data_source_settings", "message_transforms")
SUBSCRIPTION_UNSUPPORTED = (
    "enable_message_ordering",
    "enable_exactly_once_delivery",
    "retain_acked_messages",
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "message_transforms",
)
TOPIC_UPDATABLE = ("labels", "message_storage_policy", "message_retention_duration", "kms_key_name")
SUBSCRIPTION_UPDATABLE = (
    "ack_deadline_seconds",
    "push_config",
    "labels",
    "message_retention_duration",
    "expiration_policy",
    "dead_letter_policy",
    "retry_policy",
)


def check_topic(topic: Proto) -> None:
    check_name(topic.name, "topics")
    check_labels(topic.labels)
    _refuse_set_fields(topic, TOPIC_UNSUPPORTED)


def check_subscription(subscription: Proto) -> None:
    """Refuse what is wrong and fill in the defaults that the service fills in."""
    check_name(subscription.name, "subscriptions")
    check_labels(subscription.labels)
    _refuse_set_fields(subscription, SUBSCRIPTION_UNSUPPORTED)
    check_push_config(subscription.push_config)
    parse_filter(subscription.filter)
    subscription.ack_deadline_seconds = subscription.ack_deadline_seconds or ACK_DEADLINE_DEFAULT
    if not ACK_DEADLINE_LEAST <= subscription.ack_deadline_seconds <= ACK_DEADLINE_MOST:
        raise invalid(
            f"Invalid ack deadline given (ack_deadline={subscription.ack_deadline_seconds}); it must be between"
            f" {ACK_DEADLINE_LEAST} and {ACK_DEADLINE_MOST} seconds."
        )
    if not subscription.HasField("message_retention_duration"):
        subscription.message_retention_duration.seconds = RETENTION_DEFAULT
    if not subscription.HasField("expiration_policy"):
        subscription.expiration_policy.ttl.seconds = EXPIRY_DEFAULT
    if not RETENTION_LEAST <= subscription.message_retention_duration.seconds <= RETENTION_MOST:
        raise invalid("Invalid message retention duration: it must be between 10 minutes and 31 days.")
    if subscription.HasField("retry_policy"):
        _check_retry(subscription.retry_policy)
    if subscription.HasField("dead_letter_policy"):
        _check_dead_letter(subscription.dead_letter_policy)


def check_push_config(push_config: Proto) -> None:
    if push_config.HasField("no_wrapper"):
        raise unsupported("push_config.no_wrapper")
    if push_config.push_endpoint:
        Endpoint.parse(push_config.push_endpoint)


def check_messages(request: Proto) -> None:
    """A publish request within the limits of the service."""
    if not request.messages:
        raise invalid("The value for message_count is too small. You passed 0 in the request, but the minimum is 1.")
    if len(request.messages) > REQUEST_LIMIT_MESSAGES:
        raise invalid(
            f"The value for message_count is too large. You passed {len(request.messages)} in the request, but the"
            f" maximum value is {REQUEST_LIMIT_MESSAGES}."
        )
    size = request.ByteSize()
    if size > REQUEST_LIMIT_BYTES:
        raise invalid(
            f"The value for request_size is too large. You passed {size} in the request, but the maximum value is"
            f" {REQUEST_LIMIT_BYTES}."
        )
    for message in request.messages:
        if not message.data and not message.attributes:
            raise invalid("Some messages in the publish request have neither data nor attributes.")
        if message.ordering_key:
            raise unsupported("PubsubMessage.ordering_key")
        _check_attributes(message)


def check_mask(paths: Iterable[str], updatable: Sequence[str], kind: str) -> None:
    """An update names at least one field, and only fields that can change."""
    named = [path.partition(".")[0] for path in paths]
    if not named:
        raise invalid("The update_mask in the request must be set and must contain at least one field.")
    for field in named:
        if field not in updatable:
            raise invalid(f"Invalid update_mask provided in the request: {kind} field {field!r} cannot be updated.")


def policy(subscription: Proto, backoff_scale: float) -> Policy:
    """What a checked subscription means for its deliveries."""
    backoff = PUSH_DEFAULT if subscription.push_config.push_endpoint else AT_ONCE
    if subscription.HasField("retry_policy"):
        retry = subscription.retry_policy
        backoff = Backoff(_seconds(retry.minimum_backoff), _seconds(retry.maximum_backoff))
    limit = None
    if subscription.HasField("dead_letter_policy"):
        limit = subscription.dead_letter_policy.max_delivery_attempts
    return Policy(
        ack_deadline=float(subscription.ack_deadline_seconds),
        retention=_seconds(subscription.message_retention_duration),
        backoff=backoff.scaled(backoff_scale),
        attempt_limit=limit,
    )


def _check_retry(retry: Proto) -> None:
    if not retry.HasField("minimum_backoff"):
        retry.minimum_backoff.seconds = BACKOFF_MINIMUM_DEFAULT
    if not retry.HasField("maximum_backoff"):
        retry.maximum_backoff.seconds = BACKOFF_MAXIMUM_DEFAULT
    least, most = _seconds(retry.minimum_backoff), _seconds(retry.maximum_backoff)
    if not 0 <= least <= most <= BACKOFF_MOST:
        raise invalid(f"Invalid retry policy: 0 <= minimum_backoff <= maximum_backoff <= {BACKOFF_MOST} s must hold.")


def _check_dead_letter(dead_letter: Proto) -> None:
    check_name(dead_letter.dead_letter_topic, "topics")
    dead_letter.max_delivery_attempts = dead_letter.max_delivery_attempts or ATTEMPTS_DEFAULT
    if not ATTEMPTS_LEAST <= dead_letter.max_delivery_attempts <= ATTEMPTS_MOST:
        raise invalid(
            f"Invalid max_delivery_attempts given ({dead_letter.max_delivery_attempts}); it must be between"
            f" {ATTEMPTS_LEAST} and {ATTEMPTS_MOST}."
        )


def _check_attributes(message: Proto) -> None:
    if len(message.attributes) > ATTRIBUTE_LIMIT:
        raise invalid(f"A message has at most {ATTRIBUTE_LIMIT} attributes, not {len(message.attributes)}.")
    for key, value in message.attributes.items():
        if not key or len(key.encode()) > ATTRIBUTE_KEY_LIMIT_BYTES or key.startswith("goog"):
            raise invalid("An attribute key has 1 to 256 bytes and does not start with goog.")
        if len(value.encode()) > ATTRIBUTE_VALUE_LIMIT_BYTES:
            raise invalid(f"The value of attribute {key!r} is longer than {ATTRIBUTE_VALUE_LIMIT_BYTES} bytes.")


def _refuse_set_fields(resource: Proto, fields: Iterable[str]) -> None:
    present = {descriptor.name for descriptor, _ in resource.ListFields()}
    for field in fields:
        if field in present:
            raise unsupported(f"{resource.DESCRIPTOR.name}.{field}")


def _seconds(duration: Proto) -> float:
    return float(duration.seconds + duration.nanos / 1e9)
