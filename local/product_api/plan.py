"""What the simulated product API is told to do wrong: rates, a script, changes of its schema. Bad words are named."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

import msgspec

from local.product_api.schema import SchemaChange, parse_change

FAULTS = ("429", "5xx", "truncate", "timeout", "reset", "not_json", "wrong_total")
OK = "ok"
_STEP = re.compile(r"([a-z0-9_]+)(?:\*([1-9][0-9]{0,5}))?")


class BadPlan(ValueError):
    """A word of a plan means nothing; the message says which and what would."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All harmless at its defaults. The script comes first, one step for each request; behind it the rates hold."""

    rates: dict[str, float] = {}
    script: list[str] = []
    schema: list[SchemaChange] = []
    retry_after: float = 1.0
    hang_seconds: float = 60.0
    seed: int = 1


def make_plan(
    faults: Iterable[str] = (),
    script: str = "",
    schema: Iterable[str] = (),
    *,
    retry_after: float = 1.0,
    hang_seconds: float = 60.0,
    seed: int = 1,
) -> Plan:
    """The plan that words such as `429=0.2`, `ok,5xx*3` and `drop:supplier_id` describe. Raises BadPlan."""
    plan = Plan(
        rates=dict(_rate(word) for word in faults),
        script=_steps(script),
        schema=[_change(word) for word in schema],
        retry_after=retry_after,
        hang_seconds=hang_seconds,
        seed=seed,
    )
    check(plan)
    return plan


def check(plan: Plan) -> None:
    """Refuse numbers and kinds that mean nothing, by name."""
    _check_rates(plan.rates)
    for kind in plan.script:
        if kind not in (OK, *FAULTS):
            raise BadPlan(f"script: {kind!r} is none of {OK}, {', '.join(FAULTS)}")
    for name in ("retry_after", "hang_seconds"):
        if not 0 <= getattr(plan, name) <= 3600:
            raise BadPlan(f"{name.replace('_', '-')} is from 0 to 3600 seconds")


def _check_rates(rates: Mapping[str, float]) -> None:
    for kind, rate in rates.items():
        if kind not in FAULTS:
            raise BadPlan(f"fault {kind!r} is none of {', '.join(FAULTS)}")
        if not 0 <= rate <= 1:  # nan is neither
            raise BadPlan(f"fault {kind}={rate:g}: a rate is from 0 to 1")
    if math.fsum(rates.values()) > 1:
        raise BadPlan(f"the rates add up to {math.fsum(rates.values()):g}; at most 1 of all requests can fail")


def _rate(word: str) -> tuple[str, float]:
    kind, _, rate = word.partition("=")
    try:
        return kind, float(rate)
    except ValueError as exc:
        raise BadPlan(f"fault {word!r}: write KIND=RATE, such as 429=0.2; kinds: {', '.join(FAULTS)}") from exc


def _steps(script: str) -> list[str]:
    steps: list[str] = []
    for word in filter(None, (part.strip() for part in script.split(","))):
        found = _STEP.fullmatch(word)
        if found is None:
            raise BadPlan(f"script step {word!r}: write KIND or KIND*TIMES, such as ok,429,5xx*3")
        steps += [found[1]] * int(found[2] or 1)
    return steps


def _change(word: str) -> SchemaChange:
    try:
        return parse_change(word)
    except ValueError as exc:
        raise BadPlan(str(exc)) from exc
