"""notify against a real HTTP server that fails in each way: delivered once, refused for good, or tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from functions.notify import main as notify
from shared.adapters.alerts import raise_alert, send_alerts
from shared.adapters.memory import MemoryPublisher
from shared.adapters.postgres import Session
from shared.entrypoint import Outcome
from shared.errors import ConfigError, DependencyUnavailable, Throttled, TransientError
from shared.messages import Alert
from tests.contract.pubsub.endpoint import Endpoint

ROW = "SELECT delivered_at IS NOT NULL, refused_status FROM pipeline.alert"


@pytest.fixture
def receiver() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


def raised(session: Session, subject: str) -> Alert:
    """An alert as it is published."""
    raise_alert(session, "quality_breach", "warning", subject, "77 % have it", on="2026-03-01")
    publisher = MemoryPublisher()
    send_alerts(session, publisher, "https://runbook.example")
    (found,) = publisher.of("alerts")
    assert isinstance(found, Alert)
    return found


@pytest.fixture
def alert(session: Session) -> Alert:
    return raised(session, "transactions completeness.user_id")


def test_an_alert_is_posted_with_its_text_link_and_key(session: Session, receiver: Endpoint, alert: Alert) -> None:
    assert notify.run(alert, session=session, url=receiver.url) == Outcome("delivered", 1, 1)
    (push,) = receiver.pushes
    assert push.headers["Idempotency-Key"] == alert.key
    assert push.body["severity"] == "warning"
    assert push.body["runbook"] == "https://runbook.example#quality-breach"
    assert "transactions completeness.user_id: 77 % have it" in push.body["text"]
    assert session.rows(ROW) == [(True, None)]


def test_a_redelivery_after_that_posts_nothing(session: Session, receiver: Endpoint, alert: Alert) -> None:
    for expected in ("delivered", "repeated", "repeated"):
        assert notify.run(alert, session=session, url=receiver.url).outcome == expected
    assert len(receiver.pushes) == 1


def test_two_deliveries_at_once_post_once(
    open_session: Callable[[], Session], receiver: Endpoint, alert: Alert
) -> None:
    receiver.hold_seconds = 0.3
    outcomes: list[str] = []

    def one(session: Session) -> None:
        outcomes.append(notify.run(alert, session=session, url=receiver.url).outcome)

    threads = [threading.Thread(target=one, args=(open_session(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["delivered", "repeated", "repeated"]
    assert len(receiver.pushes) == 1


def test_what_the_receiver_refuses_for_good_is_acknowledged_and_told(session: Session, receiver: Endpoint) -> None:
    for posted, status in enumerate((302, 400, 401, 403, 404, 410), 1):
        receiver.answer = lambda _, status=status: status  # type: ignore[misc]
        alert = raised(session, f"refused with {status}")
        assert notify.run(alert, session=session, url=receiver.url).outcome == "refused"
        assert session.rows(f"{ROW} WHERE alert_id = $1", alert.alert_id) == [(False, status)]
        assert notify.run(alert, session=session, url=receiver.url).outcome == "repeated"
        assert len(receiver.pushes) == posted


def test_a_fault_that_may_pass_is_tried_again_and_then_delivered(session: Session, receiver: Endpoint) -> None:
    faults: dict[int, type[TransientError]] = {
        429: Throttled, 408: DependencyUnavailable, 500: DependencyUnavailable, 503: DependencyUnavailable,
        0: DependencyUnavailable,
    }  # fmt: skip  # 0: what it answers is no HTTP
    for status, error in faults.items():
        alert = raised(session, f"fault {status}")
        receiver.answer = lambda _, status=status: status  # type: ignore[misc]
        with pytest.raises(error):
            notify.run(alert, session=session, url=receiver.url)
        assert session.rows(f"{ROW} WHERE alert_id = $1", alert.alert_id) == [(False, None)]
        receiver.answer = lambda _: 204
        assert notify.run(alert, session=session, url=receiver.url).outcome == "delivered"


def test_a_receiver_that_is_silent_is_given_up_in_time(session: Session, receiver: Endpoint, alert: Alert) -> None:
    receiver.hold_seconds = 1.0
    with pytest.raises(DependencyUnavailable, match="ReadTimeout"):
        notify.run(alert, session=session, url=receiver.url, seconds=0.2)
    receiver.hold_seconds = 0.0
    assert notify.run(alert, session=session, url=receiver.url).outcome == "delivered"


def test_nobody_at_the_address_is_tried_again_and_the_secret_is_not_told(session: Session, alert: Alert) -> None:
    with pytest.raises(DependencyUnavailable) as caught:
        notify.run(alert, session=session, url="http://127.0.0.1:9/secret-path")
    assert "secret" not in str(caught.value)


def test_an_address_that_is_none_is_told_as_such(session: Session, alert: Alert) -> None:
    for url in ("http://host:port/secret", "no-scheme/secret"):
        with pytest.raises(ConfigError, match=r"^ALERT_WEBHOOK_URL is not a URL$"):
            notify.run(alert, session=session, url=url)


def test_an_alert_that_this_database_does_not_know_is_delivered_all_the_same(
    session: Session, receiver: Endpoint, alert: Alert
) -> None:
    session.rows("DELETE FROM pipeline.alert")
    assert notify.run(alert, session=session, url=receiver.url).outcome == "delivered"
