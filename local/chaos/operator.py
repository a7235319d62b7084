"""An operator at work: orders replays by HTTP, each with a key of its own, and asks again until it has an answer.

What is replayed is as bad as before, so the truth of the round does not change; each replay runs through validate and
load_postgres all the same.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Mapping
from types import TracebackType

import httpx

from shared.adapters.tls import certificates

EVERY_SECONDS = 2.0
CALL_SECONDS = 20.0
ORDERS = (
    {"action": "replay", "filters": {"source": "transactions", "reason": "unknown_currency"}},
    {"action": "discard", "filters": {"source": "users", "reason": "wrong_column_count"}, "why": "chaos"},
)
_CLAIMS = base64.urlsafe_b64encode(json.dumps({"email": "operator@localhost", "email_verified": True}).encode())
TOKEN = f"e30.{_CLAIMS.decode().rstrip('=')}.x"
"""What Cloud Run hands on once it has verified the caller: the signature is gone."""


class Operator:
    """Sends orders in turn, in a thread of its own."""

    def __init__(self, functions_url: str) -> None:
        self._url = f"{functions_url}/replay_quarantine/"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="operator")

    def __enter__(self) -> Operator:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        number = 0
        with httpx.Client(timeout=CALL_SECONDS, verify=certificates()) as client:
            while not self._ended.wait(EVERY_SECONDS):
                self._order(client, ORDERS[number % len(ORDERS)])
                number += 1

    def _order(self, client: httpx.Client, order: Mapping[str, object]) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": uuid.uuid4().hex}
        while not self._ended.is_set():
            try:
                if client.post(self._url, json=order, headers=headers).status_code < 500:
                    return
            except httpx.HTTPError:
                pass
            self._ended.wait(0.2)
