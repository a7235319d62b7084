"""The webhook that alerts are delivered to, by httpx with a bounded time; its answers are classed here."""

from __future__ import annotations

import httpx

from shared.errors import ConfigError, DependencyUnavailable, Throttled
from shared.messages import Alert

SECONDS = 10.0
"""How long the receiver may be silent; below the idle-in-transaction limit of the session that waits meanwhile."""
AGAIN = frozenset({408, 425})


def deliver(url: str, alert: Alert, seconds: float = SECONDS) -> int:
    """Post the alert and return the status: 2xx is delivered, any other that returns is refused for good.

    Raises Throttled (429) or DependencyUnavailable (5xx, 408, no answer in time): a retry may help. The receiver can
    tell a repeated delivery by the header Idempotency-Key. The URL is a secret and stands in no message.
    """
    body = {
        "text": f"[{alert.severity}] {alert.subject}: {alert.told}. What to do: {alert.runbook}",
        "severity": alert.severity,
        "kind": alert.kind,
        "subject": alert.subject,
        "runbook": alert.runbook,
        "key": alert.key,
        "raised_at": alert.raised_at.isoformat(),
    }
    try:
        with httpx.stream("POST", url, json=body, headers={"Idempotency-Key": alert.key}, timeout=seconds) as answer:
            status = answer.status_code
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
        raise ConfigError("ALERT_WEBHOOK_URL is not a URL") from exc
    except httpx.HTTPError as exc:
        raise DependencyUnavailable(f"the alert webhook does not answer: {type(exc).__name__}") from exc
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise Throttled("the alert webhook asks to be called less often (429)")
    if status >= 500 or status in AGAIN:
        raise DependencyUnavailable(f"the alert webhook answers {status}")
    return status
