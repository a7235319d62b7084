"""No message is lost: every topic is read, what fails is tried again, and what fails for good lies in a dead letter."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.planned import Plan, Resource
from deploy.policies.grants import grants

TOPIC, SUBSCRIPTION = "google_pubsub_topic", "google_pubsub_subscription"
PUBSUB_AGENT = "gcp-sa-pubsub"
STORAGE_AGENTS = ("gs-project-accounts", "google_storage_project_service_account")
WEEK = "604800s"
MIN_ATTEMPTS = 5


def every_topic_is_read(plan: Plan) -> Iterator[str]:
    """What is published to a topic without a subscription is gone."""
    read = (plan.find(TOPIC, str(subscription.at("topic"))) for subscription in plan.of(SUBSCRIPTION))
    attached = {topic.address for topic in read if topic}
    for topic in plan.of(TOPIC):
        if topic.address not in attached:
            yield f"{topic.address}: no subscription reads it, so its messages are lost"


def every_subscription_has_a_dead_letter(plan: Plan) -> Iterator[str]:
    """But those that read a topic to which another subscription sends its dead letters: there an operator looks."""
    dead = _dead_topics(plan)
    for subscription in plan.of(SUBSCRIPTION):
        topic = plan.find(TOPIC, str(subscription.at("topic")))
        if subscription.all("dead_letter_policy"):
            if (subscription.at("dead_letter_policy.max_delivery_attempts") or 0) < MIN_ATTEMPTS:
                yield f"{subscription.address}: max_delivery_attempts is missing"
        elif topic is None or topic.address not in dead:
            yield f"{subscription.address}: has no dead_letter_policy; what fails is tried for ever or lost"


def dead_letters_may_be_forwarded(plan: Plan) -> Iterator[str]:
    """Pub/Sub's agent must publish to the dead-letter topic and acknowledge on the subscription; else it forwards none.

    https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
    """
    held = {(g.kind, g.place, g.role) for g in grants(plan) if PUBSUB_AGENT in g.member}
    for subscription in plan.of(SUBSCRIPTION):
        dead = _dead_topic(plan, subscription)
        if dead is None:
            continue
        if (TOPIC, dead.at("name"), "roles/pubsub.publisher") not in held:
            yield f"{dead.address}: Pub/Sub's agent may not publish here, so no dead letter arrives"
        if (SUBSCRIPTION, subscription.at("name"), "roles/pubsub.subscriber") not in held:
            yield f"{subscription.address}: Pub/Sub's agent may not acknowledge here, so it forwards no dead letter"


def messages_wait_a_week_and_subscriptions_stay(plan: Plan) -> Iterator[str]:
    """Seven days to mend what is broken; and 31 quiet days do not delete a subscription."""
    for subscription in plan.of(SUBSCRIPTION):
        if subscription.at("message_retention_duration") != WEEK:
            yield f"{subscription.address}: message_retention_duration must be {WEEK}"
        if subscription.at("expiration_policy.ttl") != "":
            yield f'{subscription.address}: expiration_policy must be ttl = "", or it is deleted when it is quiet'


def buckets_may_notify(plan: Plan) -> Iterator[str]:
    """Cloud Storage's agent must publish to the topic of a notification, else making it fails."""
    members = {
        g.place: g.member for g in grants(plan) if g.kind == TOPIC and any(a in g.member for a in STORAGE_AGENTS)
    }
    for notification in plan.of("google_storage_notification"):
        topic = plan.find(TOPIC, str(notification.at("topic")))
        if topic is not None and topic.at("name") not in members:
            yield f"{notification.address}: Cloud Storage's agent may not publish to {topic.at('name')}"


def _dead_topic(plan: Plan, subscription: Resource) -> Resource | None:
    return plan.find(TOPIC, str(subscription.at("dead_letter_policy.dead_letter_topic") or ""))


def _dead_topics(plan: Plan) -> set[str]:
    return {topic.address for topic in (_dead_topic(plan, s) for s in plan.of(SUBSCRIPTION)) if topic}
