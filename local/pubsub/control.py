"""The control service, seen from outside: statistics, pausing and faults of a running local Pub/Sub.

It answers on the service's own port, as the gRPC service named here, with JSON for messages; no other emulator has it.
"""

import json
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio ships no types

from local.pubsub.faults import Faults

SERVICE = "sluice.local.PubSubControl"
TIMEOUT_SECONDS = 10.0

Json = Any  # what json.loads gives


class ControlRefused(Exception):
    """The service would not do it, or what answers on the port is not the local Pub/Sub."""


@dataclass(slots=True)
class SubscriptionStats:
    """One subscription, now; the counters run since the program started.

    Quiet is `undelivered + outstanding == 0`: copies that are still to go out count, messages in backoff do too.
    """

    undelivered: int = 0
    outstanding: int = 0
    oldest_unacked_seconds: float = 0.0
    received: int = 0
    delivered: int = 0
    acked: int = 0
    failed: int = 0
    dead_lettered: int = 0
    expired: int = 0
    paused: bool = False

    @property
    def quiet(self) -> bool:
        return self.undelivered + self.outstanding == 0


class PubSubControl:
    """A small client, by the host that PUBSUB_EMULATOR_HOST names; use it in a `with` or close it."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._channel = grpc.insecure_channel(host)

    def __enter__(self) -> "PubSubControl":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def stats(self) -> dict[str, SubscriptionStats]:
        """Every subscription by its full name."""
        return {name: SubscriptionStats(**values) for name, values in self._call("Stats", {}).items()}

    def faults(self) -> Faults:
        return Faults(**self._call("GetFaults", {}))

    def set_faults(
        self,
        *,
        duplicate_rate: float | None = None,
        copies: int | None = None,
        shuffle_window: int | None = None,
        delay_seconds: float | None = None,
        jitter_seconds: float | None = None,
        fail_publishes: int | None = None,
    ) -> Faults:
        """Change the named faults, leave the others, and return what holds now."""
        named = {
            "duplicate_rate": duplicate_rate,
            "copies": copies,
            "shuffle_window": shuffle_window,
            "delay_seconds": delay_seconds,
            "jitter_seconds": jitter_seconds,
            "fail_publishes": fail_publishes,
        }
        return Faults(**self._call("SetFaults", {name: value for name, value in named.items() if value is not None}))

    def clear_faults(self) -> Faults:
        """Perfect weather: no faults at all, duplicates included."""
        return Faults(**self._call("SetFaults", asdict(Faults(duplicate_rate=0.0))))

    def pause(self, subscription: str) -> None:
        """Deliver nothing more to the subscription until it is resumed (or the program starts anew)."""
        self._call("Pause", {"subscription": subscription})

    def resume(self, subscription: str) -> None:
        self._call("Resume", {"subscription": subscription})

    def _call(self, method: str, request: dict[str, Json]) -> Json:
        call = self._channel.unary_unary(f"/{SERVICE}/{method}")
        try:
            answer = call(json.dumps(request).encode(), timeout=TIMEOUT_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            raise ControlRefused(
                f"local Pub/Sub at {self._host}, {method}: {error.code().name}: {error.details()}"
            ) from error
        return json.loads(answer)
