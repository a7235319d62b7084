"""One round: feed and break, then stop breaking, and see that everything comes right without help."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from local.chaos.cloud import Running
from local.chaos.feed import Feeder
from local.chaos.judge import Found, look, nothing_open
from local.chaos.load import Expected
from local.chaos.plan import Plan, Step
from local.table import read_table
from shared.adapters.postgres import connect
from shared.errors import DependencyUnavailable, PipelineError

ARM_EVERY_SECONDS = 0.1
ARMED_SECONDS = 8.0
"""A point that nobody reached for so long makes room for another one of its function, and has its turn again later."""
LINGER_SECONDS = 6.0
"""How long a round waits for its last armed points and ordered faults to be met, while anything still moves."""
STARVED_SECONDS = 1.0
ARMED_AT_ONCE = 4
"""Points of a function that messages wake. Of one that the Scheduler calls there is one: a call would always die at the
first of two, and never come to the other."""
BALANCED_WITHIN_SECONDS = 90.0
DEATHS_WITHIN_SECONDS = 60.0
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'"

T = TypeVar("T")


@dataclass
class Tally:
    """What was done to the system, by server and kind."""

    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    away: list[float] = field(default_factory=list)
    """Seconds from each server's kill to its being ready again."""
    by_itself: list[str] = field(default_factory=list)
    """Servers that ended without having been killed."""
    messages: int = 0
    """What Pub/Sub took in, by subscription."""
    deliveries: int = 0
    """How often it gave a message out: copies and repeats after a failure are in it."""


@dataclass(frozen=True)
class RoundResult:
    """How one round ended."""

    number: int
    seconds: float
    recovery: float
    """Seconds from the last fault until all was balanced and true."""
    wrong: list[str]
    found: Found
    lost: int
    doubled: int


class Driver:
    """Runs rounds on one system."""

    def __init__(self, system: Running, tally: Tally) -> None:
        self._system, self._tally = system, tally
        self._feeder = Feeder()
        self._to_arm: list[str] = []
        self._at_once = {f.name: 1 if f.schedules else ARMED_AT_ONCE for f in read_table().functions}
        self._armed: dict[str, float] = {}
        self._armed_at = 0.0
        self._faulted_at = 0.0
        self._counted = (0, 0)

    def run(self, number: int, plan: Plan, points: list[str], expected: Expected) -> RoundResult:
        """The whole round; what went wrong is in the result."""
        started = self._faulted_at = time.time()
        self._to_arm = list(points)
        self._weather(plan)
        died = self._deaths()
        for step in plan.steps:
            self._take(step, plan)
            self._pause(plan.pause)
        self._linger()
        self._await_deaths(died + plan.deaths)
        self._calm()
        return self._settle(number, started, expected)

    def _take(self, step: Step, plan: Plan) -> None:
        if step.what == "feed":
            for item in step.items:
                self._feeder.feed(item)
        elif step.what == "kill":
            if step.server == "pubsub":
                self._count_messages(starts_anew=True)
                self._end_publish_faults()
            self._tally.away.append(self._system.kill(step.server))
            self._tally.faults[step.server, "kill -9"] += 1
            if step.server == "pubsub":
                self._weather(plan)
        elif step.what == "network":
            self._system.proxies.order(step.server, *step.faults)
        elif step.what == "connections":
            self._take_all_connections()
            self._tally.faults["postgres", "connections"] += 1
        else:
            with self._system.control() as control:
                control.set_faults(fail_publishes=step.times)
            self._tally.faults["pubsub", "error"] += step.times
        if step.what in ("kill", "connections", "publishes"):
            self._faulted_at = time.time()

    def _count_messages(self, *, starts_anew: bool = False) -> None:
        """Pub/Sub counts from its start on."""
        stats = self._system.stats().values()
        now = sum(s.received for s in stats), sum(s.delivered for s in stats)
        self._tally.messages += now[0] - self._counted[0]
        self._tally.deliveries += now[1] - self._counted[1]
        self._counted = (0, 0) if starts_anew else now

    def _weather(self, plan: Plan) -> None:
        with self._system.control() as control:
            control.set_faults(**plan.weather)  # type: ignore[arg-type]  # whole where they must be

    def _pause(self, seconds: float) -> None:
        """Wait, and keep points armed meanwhile."""
        until = time.monotonic() + seconds
        while True:
            self._arm()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.05))

    def _arm(self) -> None:
        points, now = self._system.cloud.points, time.monotonic()
        if now - self._armed_at < ARM_EVERY_SECONDS:
            return
        self._armed_at = now
        self._armed = {name: self._armed.get(name, now) for name in points.armed()}
        for name, since in self._armed.items():
            if now - since > ARMED_SECONDS and points.take_back(name):
                self._to_arm.append(name)
        busy = Counter(map(_function, points.armed()))
        chosen = next((name for name in self._to_arm if busy[_function(name)] < self._at_once[_function(name)]), None)
        if chosen:
            self._to_arm.remove(chosen)
            points.arm(chosen)

    def _linger(self) -> None:
        points, proxies = self._system.cloud.points, self._system.proxies
        until = time.monotonic() + LINGER_SECONDS
        while time.monotonic() < until and (self._to_arm or points.armed() or proxies.waiting()):
            self._pause(0.2)
            if self._quiet() and not self._to_arm:
                return

    def _await_deaths(self, enough: int) -> None:
        """On a busy machine the functions come to their armed points late."""
        until = time.monotonic() + DEATHS_WITHIN_SECONDS
        while self._deaths() < enough and time.monotonic() < until:
            self._pause(0.2)

    def _deaths(self) -> int:
        return sum(self._system.cloud.points.kills().values())

    def _quiet(self) -> bool:
        return all(stats.quiet for name, stats in self._system.stats().items() if not name.endswith("-dead"))

    def _calm(self) -> None:
        self._system.cloud.points.disarm()
        self._system.proxies.clear()
        self._end_publish_faults()
        with self._system.control() as control:
            control.clear_faults()

    def _end_publish_faults(self) -> None:
        """Publishes that were to fail and did not come are no faults."""
        with self._system.control() as control:
            self._tally.faults["pubsub", "error"] -= control.faults().fail_publishes
            control.set_faults(fail_publishes=0)

    def _settle(self, number: int, started: float, expected: Expected) -> RoundResult:
        """Wait until all is balanced and true; nothing but the scheduled jobs runs."""
        calm, last = time.time(), self._last_fault(started)
        while True:
            self._tally.by_itself += self._system.cloud.revive()
            late = time.time() - calm > BALANCED_WITHIN_SECONDS
            found = self._ask(look) if late or self._ask(nothing_open) else None
            wrong = found.differences(expected) if found else []
            if found and (late or not wrong):
                now = time.time()
                self._count_messages()
                lost, doubled = found.lost_and_doubled(expected)
                wrong += [f"{name} was given up to its dead-letter topic" for name in self._given_up()] if wrong else []
                return RoundResult(number, calm - started, now - last, wrong, found, lost, doubled)
            time.sleep(0.2)

    def _last_fault(self, started: float) -> float:
        return max(started, self._faulted_at, self._system.proxies.last, self._system.cloud.points.last_kill())

    def _ask(self, question: Callable[[Running], T]) -> T | None:
        """The answer; none while the system cannot be asked."""
        try:
            return question(self._system)
        except PipelineError:
            self._system.forget_session()
            return None

    def _given_up(self) -> list[str]:
        return [name for name, stats in self._system.stats().items() if name.endswith("-dead") and not stats.quiet]

    def _take_all_connections(self) -> None:
        """Nobody else gets a connection for a while; the functions lose theirs."""
        own = self._system.session()
        with ExitStack() as taken:
            self._starve(taken)
            own.rows(TERMINATE)
            until = time.monotonic() + STARVED_SECONDS
            while time.monotonic() < until:
                self._starve(taken)
                self._pause(0.05)

    def _starve(self, taken: ExitStack) -> None:
        while True:
            try:
                session = connect(self._system.settings, "sluice-chaos-hog")
            except DependencyUnavailable:
                return
            taken.callback(session.close)


def _function(point: str) -> str:
    return point.partition(".")[0]
