"""How the doctor runs its steps, and what their order must keep."""

from __future__ import annotations

import pytest

from cli.doctor.checkup import CANARY, STEPS
from cli.doctor.steps import Fault, Found, NotHere, Step, run_steps, standing_on
from cli.google_api import ApiRefused
from shared.errors import ConfigError


def sound(_: None) -> Found:
    return Found("fine")


def broken(_: None) -> Found:
    return Found("", [Fault("the lamp is dark", "change the bulb"), Fault("the fuse is gone", "change the fuse")])


def absent(_: None) -> Found:
    raise NotHere("no lamp here")


def step(name: str, *needs: str, check: object = sound) -> Step[None]:
    return Step(name, name, needs, check, f"mend {name}")  # type: ignore[arg-type]


def verdicts(*steps: Step[None], leave_out: tuple[str, ...] = ()) -> dict[str, str]:
    return {result.step: result.verdict for result in run_steps(steps, None, leave_out)}


def test_a_failed_step_skips_what_stands_on_it_and_nothing_else() -> None:
    steps = (step("a", check=broken), step("b", "a"), step("c", "b"), step("d"))
    assert verdicts(*steps) == {"a": "failed", "b": "skipped", "c": "skipped", "d": "ok"}
    skipped = list(run_steps(steps, None))[2]
    assert skipped.found == "stands on b"


def test_what_a_local_cloud_does_not_have_stops_nothing() -> None:
    assert verdicts(step("a", check=absent), step("b", "a")) == {"a": "skipped", "b": "ok"}


def test_every_fault_is_told_with_its_advice() -> None:
    (result,) = run_steps((step("a", check=broken),), None)
    assert result.found == "the lamp is dark; the fuse is gone"
    assert result.advice == "change the bulb; change the fuse"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigError("REGION is not set"), "REGION is not set"),
        (ApiRefused(403, "pubsub answers 403: denied"), "pubsub answers 403: denied (your account lacks a role"),
        (KeyError("name"), "KeyError: 'name'"),
    ],
)
def test_a_check_that_breaks_is_a_failure_with_the_advice_of_its_step(error: Exception, told: str) -> None:
    def check(_: None) -> Found:
        raise error

    first, second = run_steps((step("a", check=check), step("b")), None)
    assert (first.verdict, first.advice, second.verdict) == ("failed", "mend a", "ok")
    assert first.found.startswith(told)


def test_what_is_left_out_is_said_to_be() -> None:
    assert verdicts(step("a"), step(CANARY, "a"), leave_out=(CANARY,)) == {"a": "ok", CANARY: "skipped"}


def test_only_one_step_takes_those_that_it_stands_on_with_it() -> None:
    assert [one.name for one in standing_on(STEPS, ["feed"])] == [
        "settings", "credentials", "postgres", "migrations", "feed",
    ]  # fmt: skip


def test_every_step_stands_on_earlier_ones_and_says_what_to_do() -> None:
    seen: set[str] = set()
    for one in STEPS:
        assert set(one.needs) <= seen, one.name
        assert one.advice, one.name
        seen.add(one.name)
    assert len(seen) == len(STEPS)
