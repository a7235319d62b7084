"""The control service, from inside: what `control.py` calls."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

from local.pubsub.broker import Broker
from local.pubsub.refusals import invalid


class ControlService:
    """Statistics, pausing and faults, as JSON in and out."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def methods(self) -> dict[str, Callable[[bytes], Awaitable[bytes]]]:
        answers = {
            "Stats": self._stats,
            "GetFaults": self._get_faults,
            "SetFaults": self._set_faults,
            "Pause": self._pause,
            "Resume": self._resume,
        }
        return {name: _in_json(answer) for name, answer in answers.items()}

    def _stats(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {name: asdict(present.backlog.snapshot()) for name, present in self._broker.subscriptions.items()}

    def _get_faults(self, _request: dict[str, Any]) -> dict[str, Any]:
        return asdict(self._broker.weather.faults)

    def _set_faults(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            faults = replace(self._broker.weather.faults, **request)
        except TypeError as error:
            raise invalid(f"Unknown fault: {error}.") from error
        faults.check()
        self._broker.weather.faults = faults
        return asdict(faults)

    def _pause(self, request: dict[str, Any]) -> dict[str, Any]:
        self._broker.subscription(request["subscription"]).backlog.pause(paused=True)
        return {}

    def _resume(self, request: dict[str, Any]) -> dict[str, Any]:
        self._broker.subscription(request["subscription"]).backlog.pause(paused=False)
        return {}


def _in_json(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[bytes], Awaitable[bytes]]:
    async def call(request: bytes) -> bytes:
        return json.dumps(answer(json.loads(request))).encode()

    return call
