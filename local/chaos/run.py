"""A whole run: one round of calm that writes the catalogue of kill points, then rounds until all is injected."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from local.chaos.clock import Clock
from local.chaos.cloud import SERVERS, Running, running
from local.chaos.driver import Driver, RoundResult, Tally
from local.chaos.load import Expected, make_round
from local.chaos.operator import Operator
from local.chaos.plan import Plan, Size, plan_round, points_to_arm

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Goal:
    """When a run is done: so many faults, kills of each server and deaths at each point, and no later than that."""

    faults: int = 1000
    server_kills: int = 20
    point_kills: int = 3
    minutes: float = 14.0
    rounds: int = 1000


@dataclass
class Run:
    """Everything that a run did and found."""

    seed: str
    goal: Goal
    tally: Tally = field(default_factory=Tally)
    catalogue: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    results: list[RoundResult] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def faults(self) -> Counter[tuple[str, str]]:
        """All injected faults by server and kind; copies of messages are none."""
        return self.tally.faults + Counter({("functions", "kill -9 at a point"): sum(self.kills.values())})

    @property
    def total(self) -> int:
        """How many faults were injected."""
        return sum(self.faults.values())

    @property
    def wrong(self) -> list[str]:
        """What was not right after a round, with the round."""
        return [f"round {result.number}: {told}" for result in self.results for told in result.wrong]

    def wants_servers(self) -> bool:
        """Whether servers must still be broken, or only the functions at their points."""
        killed = min(self.faults[server, "kill -9"] for server in SERVERS)
        return killed < self.goal.server_kills or self.total < self.goal.faults

    def missing(self) -> list[str]:
        """What of the goal is not reached yet."""
        left = [
            f"{name} {self.kills[name]} times" for name in self.catalogue if self.kills[name] < self.goal.point_kills
        ]
        left += [
            f"{server} {self.faults[server, 'kill -9']} times"
            for server in SERVERS
            if self.faults[server, "kill -9"] < self.goal.server_kills
        ]
        return [*left, *([f"{self.total} faults"] if self.total < self.goal.faults else [])]


def run_chaos(seed: str, size: Size, goal: Goal, tell: Progress, only: int | None = None) -> Run:
    """Run rounds until the goal is reached, its time is over, or a round does not come right.

    `only` runs that round alone, after the calm one: so a failure is looked into.
    """
    home = Path(tempfile.mkdtemp(prefix="sluice-chaos-"))
    home.chmod(0o755)
    run, started = Run(seed, goal), time.monotonic()
    try:
        with (
            running(home / "cloud", seed) as system,
            Clock(system.endpoints.scheduler),
            Operator(system.endpoints.functions),
        ):
            _rounds(run, system, size, home, tell, only, started)
            run.seconds = time.monotonic() - started
    finally:
        if not run.wrong:
            shutil.rmtree(home, ignore_errors=True)
        else:
            tell(f"the servers' logs and data are kept in {home}")
    return run


def _rounds(
    run: Run, system: Running, size: Size, home: Path, tell: Progress, only: int | None, started: float
) -> None:
    driver, expected = Driver(system, run.tally), Expected()
    calm = Size(rows=size.rows, seconds=4.0, points=0, server_kills=0, publishes=0, network={})
    number = 0
    while number <= run.goal.rounds:
        now = calm if number == 0 else size if run.wants_servers() else size.points_only()
        items = make_round(home / f"data-{number}", run.seed, number, now.rows, expected)
        plan = plan_round(run.seed, number, now, items)
        if number == 0:
            plan = Plan({}, tuple(step for step in plan.steps if step.what == "feed"), plan.pause, 0)
        armed = points_to_arm(run.seed, number, run.catalogue, run.kills, plan.points, run.goal.point_kills)
        result = driver.run(number, plan, armed, expected)
        run.results.append(result)
        run.kills = system.cloud.points.kills()
        run.catalogue = system.cloud.points.catalogue()
        run.tally.faults += system.proxies.injected
        system.proxies.injected.clear()
        tell(_line(run, result, started))
        late = time.monotonic() - started > run.goal.minutes * 60
        if result.wrong or late or (number and (only is not None or not run.missing())):
            return
        number = only if only is not None else number + 1


def _line(run: Run, result: RoundResult, started: float) -> str:
    passed = time.monotonic() - started
    return (
        f"round {result.number}: {run.total:,} faults so far, kill points "
        f"{len([1 for name in run.catalogue if run.kills[name] >= run.goal.point_kills])} of {len(run.catalogue)}, "
        f"{result.seconds:.0f} s of chaos, {'balanced' if not result.wrong else 'NOT right'} {result.recovery:.1f} s "
        f"after it, {passed / 60:.1f} minutes"
    )
