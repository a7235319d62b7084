"""Push: what is sent, what counts as an acknowledgement, and what happens when it is none."""

import base64
import itertools
import time

import pytest
from google.api_core import exceptions

from tests.contract.pubsub.endpoint import Endpoint, bound_socket
from tests.contract.pubsub.service import Clients, PubSubControl, eventually

QUICK = {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 1}}


def test_a_push_is_the_wrapped_message(clients: Clients, topic: str, endpoint: Endpoint) -> None:
    subscription = clients.subscription(topic, push_config=endpoint.push_config)
    [identifier] = clients.publish(topic, b"\x00hello", source="users")
    eventually(lambda: endpoint.pushes)
    [push] = endpoint.pushes
    message = push.body["message"]
    assert push.body["subscription"] == subscription
    assert "deliveryAttempt" not in push.body
    assert base64.b64decode(message["data"]) == b"\x00hello"
    assert message["attributes"] == {"source": "users"}
    assert message["messageId"] == message["message_id"] == identifier
    assert message["publishTime"] == message["publish_time"]
    assert message["publishTime"].endswith("Z")
    assert (push.path, push.headers["Content-Type"]) == ("/validate/", "application/json")


def test_a_message_of_attributes_alone_is_pushed_without_data(clients: Clients, topic: str, endpoint: Endpoint) -> None:
    clients.subscription(topic, push_config=endpoint.push_config)
    clients.publish(topic, b"", event="made")
    eventually(lambda: endpoint.pushes)
    assert "data" not in endpoint.pushes[0].body["message"]


@pytest.mark.parametrize("status", [102, 200, 201, 202, 204])
def test_these_statuses_acknowledge(
    clients: Clients, topic: str, endpoint: Endpoint, control: PubSubControl, status: int
) -> None:
    endpoint.answer = lambda _earlier: status
    subscription = clients.subscription(topic, push_config=endpoint.push_config)
    clients.publish(topic, b"x")
    eventually(lambda: control.stats()[subscription].acked == 1)
    assert control.stats()[subscription].failed == 0


@pytest.mark.parametrize("status", [0, 203, 301, 400, 404, 429, 500, 503])
def test_any_other_answer_brings_the_message_again(
    clients: Clients, topic: str, endpoint: Endpoint, status: int
) -> None:
    endpoint.answer = lambda earlier: 200 if earlier else status
    clients.subscription(topic, push_config=endpoint.push_config, retry_policy=QUICK)
    clients.publish(topic, b"x")
    eventually(lambda: len(endpoint.pushes) == 2)


def test_a_refused_connection_is_tried_until_the_endpoint_is_there(clients: Clients, topic: str) -> None:
    bound = bound_socket()  # nobody else gets its port, which refuses until somebody listens
    push_config = {"push_endpoint": f"http://127.0.0.1:{bound.getsockname()[1]}/"}
    clients.subscription(topic, push_config=push_config, retry_policy=QUICK)
    clients.publish(topic, b"patience")
    endpoint = Endpoint(bound)
    eventually(lambda: endpoint.pushes)
    endpoint.close()


def test_backoff_doubles_from_the_minimum_to_the_maximum(
    clients: Clients, topic: str, endpoint: Endpoint, control: PubSubControl
) -> None:
    assert control.stats() is not None
    endpoint.answer = lambda earlier: 200 if earlier == 6 else 500
    policy = {"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 160}}
    clients.subscription(topic, push_config=endpoint.push_config, retry_policy=policy)
    clients.publish(topic, b"x")
    eventually(lambda: len(endpoint.pushes) == 7)
    gaps = [after.at - before.at for before, after in itertools.pairwise(endpoint.pushes)]
    for gap, expected in zip(gaps, [0.1, 0.2, 0.4, 0.8, 1.6, 1.6], strict=True):
        assert gap > expected - 0.02
    assert sum(gaps) < 5.9, "4.7 s; 6.3 s without the maximum, 8.1 s at the maximum from the second on"


def test_at_most_eight_pushes_are_outstanding(clients: Clients, topic: str, endpoint: Endpoint) -> None:
    endpoint.hold_seconds = 0.2
    clients.subscription(topic, push_config=endpoint.push_config)
    clients.publish(topic, *[b"x"] * 24)
    eventually(lambda: len(endpoint.pushes) == 24)
    assert endpoint.most_at_once == 8


def test_a_connection_the_server_closed_meanwhile_does_no_harm(
    clients: Clients, topic: str, control: PubSubControl
) -> None:
    endpoint = Endpoint(idle_seconds=0.1)
    subscription = clients.subscription(topic, push_config=endpoint.push_config)
    for _ in range(2):
        clients.publish(topic, b"x")
        eventually(lambda: control.stats()[subscription].quiet)
        time.sleep(0.3)
    assert (control.stats()[subscription].acked, control.stats()[subscription].failed) == (2, 0)
    endpoint.close()


def test_a_subscription_can_turn_from_push_to_pull_and_back(clients: Clients, topic: str, endpoint: Endpoint) -> None:
    subscription = clients.subscription(topic, push_config=endpoint.push_config)
    clients.subscriber.modify_push_config(subscription=subscription, push_config={})
    clients.publish(topic, b"pulled")
    assert clients.consume(subscription, 1) == [b"pulled"]
    clients.subscriber.modify_push_config(subscription=subscription, push_config=endpoint.push_config)
    clients.publish(topic, b"pushed")
    eventually(lambda: len(endpoint.pushes) == 1)


def test_pulling_from_a_push_subscription_is_refused(clients: Clients, topic: str, endpoint: Endpoint) -> None:
    subscription = clients.subscription(topic, push_config=endpoint.push_config)
    with pytest.raises(exceptions.FailedPrecondition):
        clients.subscriber.pull(subscription=subscription, max_messages=1)


def test_an_oidc_token_setting_is_kept(clients: Clients, topic: str, endpoint: Endpoint) -> None:
    token = {"service_account_email": "push@contract.iam.gserviceaccount.com", "audience": endpoint.url}
    subscription = clients.subscription(topic, push_config={**endpoint.push_config, "oidc_token": token})
    kept = clients.subscriber.get_subscription(subscription=subscription)
    assert kept.push_config.oidc_token.audience == endpoint.url


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "validate", "http://", "http://127.0.0.1:99999/"])
def test_an_endpoint_that_is_no_url_is_refused(clients: Clients, topic: str, url: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="push endpoint"):
        clients.subscription(topic, push_config={"push_endpoint": url})
