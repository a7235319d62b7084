"""What a round does, drawn from the seed: which faults, and where among the rows that come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from local.chaos.cloud import SERVERS
from local.chaos.load import Item
from local.chaos.proxy import Fault

MESSAGES_AT_ONCE = 6


@dataclass(frozen=True)
class Size:
    """How much happens in one round. `network` is by server; the push is the way from Pub/Sub to the functions."""

    rows: int
    seconds: float
    points: int
    server_kills: int
    publishes: int
    network: dict[str, dict[Fault, int]]
    deaths: int = 0
    """So many deaths at points the round waits for, where its seconds were too few for them."""

    def points_only(self) -> Size:
        """What is left when the servers have been broken often enough: the functions die, and nothing else."""
        return replace(self, server_kills=0, publishes=0, network={})

    def shortened(self) -> Size:
        """The same kinds, a handful of each."""
        network = {server: dict.fromkeys(faults, 1) for server, faults in self.network.items()}
        return replace(self, rows=600, seconds=8.0, points=8, server_kills=1, publishes=1, network=network)


ROUND = Size(
    rows=1200,
    seconds=18.0,
    points=120,
    server_kills=2,
    publishes=5,
    network={
        "postgres": {"refuse": 3, "reset": 4, "hang": 2, "silence": 1},
        "storage": {"refuse": 2, "reset": 3, "hang": 2, "silence": 1, "error": 6, "truncate": 4},
        "warehouse": {"refuse": 2, "reset": 2, "hang": 1, "silence": 1, "error": 4, "truncate": 1},
        "pubsub": {"refuse": 2, "reset": 3, "hang": 2, "silence": 1},
        "functions": {"refuse": 3, "reset": 4, "hang": 1, "silence": 1, "error": 4, "truncate": 1},
        "product_api": {"refuse": 1, "reset": 1, "error": 1, "truncate": 1},
        "webhook": {"refuse": 1, "reset": 1, "error": 1},
    },
)
WEATHER: tuple[dict[str, float], ...] = (
    {"copies": 1},
    {"copies": 2, "shuffle_window": 20},
    {"copies": 3, "shuffle_window": 50, "jitter_seconds": 0.2},
    {"copies": 5, "shuffle_window": 50, "jitter_seconds": 0.1},
)

What = Literal["feed", "kill", "network", "connections", "publishes"]


@dataclass(frozen=True)
class Step:
    """One thing that the driver does."""

    what: What
    items: tuple[Item, ...] = ()
    server: str = ""
    faults: tuple[Fault, ...] = ()
    times: int = 1


@dataclass(frozen=True)
class Plan:
    """A round: its weather, its steps in order with a pause behind each, how many kill points it arms and waits for."""

    weather: dict[str, float]
    steps: tuple[Step, ...]
    pause: float
    points: int
    deaths: int = 0


def plan_round(seed: str, number: int, size: Size, items: Sequence[Item]) -> Plan:
    """The same arguments give the same plan."""
    dice = Random(f"{seed} plan {number}")  # noqa: S311 - chance for tests
    faults = [Step("kill", server=server) for server in SERVERS for _ in range(size.server_kills)]
    for server, kinds in size.network.items():
        ordered = [fault for fault, times in kinds.items() for _ in range(times)]
        dice.shuffle(ordered)
        half = (len(ordered) + 1) // 2
        faults += [Step("network", server=server, faults=tuple(part)) for part in (ordered[:half], ordered[half:])]
    faults += [Step("connections"), Step("publishes", times=size.publishes)]
    steps = [*faults, *_feeds(items)]
    dice.shuffle(steps)
    return Plan(dict(dice.choice(WEATHER)), tuple(steps), size.seconds / len(steps), size.points, size.deaths)


def _feeds(items: Sequence[Item]) -> list[Step]:
    """Files one by one, messages a few at once."""
    messages = [item for item in items if item.kind == "message"]
    steps = [Step("feed", items=(item,)) for item in items if item.kind != "message"]
    starts = range(0, len(messages), MESSAGES_AT_ONCE)
    return steps + [Step("feed", items=tuple(messages[n : n + MESSAGES_AT_ONCE])) for n in starts]


def points_to_arm(
    seed: str, number: int, catalogue: Sequence[str], kills: dict[str, int], count: int, enough: int
) -> list[str]:
    """The points where fewest died yet, in an order drawn from the seed; once all have `enough`, all again."""
    dice = Random(f"{seed} points {number}")  # noqa: S311 - chance for tests
    shuffled = [name for name in catalogue if kills.get(name, 0) < enough] or list(catalogue)
    dice.shuffle(shuffled)
    return sorted(shuffled, key=lambda name: kills.get(name, 0))[:count]
