"""What a step of the doctor is, and how the steps are run: in order, each only where what it stands on is sound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from cli.google_api import ApiRefused
from shared.errors import PipelineError

Verdict = Literal["ok", "failed", "skipped"]
Patient = TypeVar("Patient")
MOST_TOLD = 5
FORBIDDEN = 403


class NotHere(Exception):
    """What a step looks at does not exist in this kind of installation; the step is skipped, nothing is wrong."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and a command or a place that says how it is mended."""

    told: str
    advice: str


@dataclass
class Found:
    """What a step saw: one line where all is well, else its faults."""

    told: str
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Step(Generic[Patient]):
    """One thing to check. `needs` names the steps without which it cannot be judged, `advice` what to do by default."""

    name: str
    what: str
    needs: tuple[str, ...]
    check: Callable[[Patient], Found]
    advice: str


@dataclass(frozen=True)
class Result:
    """The verdict on one step. `sound`: a step that stands on it can be judged."""

    step: str
    what: str
    verdict: Verdict
    found: str
    advice: str = ""
    sound: bool = True

    def as_fields(self) -> dict[str, str]:
        """What a script gets."""
        return {
            "step": self.step, "what": self.what, "verdict": self.verdict, "found": self.found, "advice": self.advice,
        }  # fmt: skip


def run_steps(steps: Sequence[Step[Patient]], patient: Patient, leave_out: Collection[str] = ()) -> Iterator[Result]:
    """Run the steps in order. Those of `leave_out` are skipped, as is what stands on something that is not sound."""
    sound: dict[str, bool] = {}
    for step in steps:
        missing = [name for name in step.needs if not sound.get(name, True)]
        if step.name in leave_out:
            result = Result(step.name, step.what, "skipped", "left out, as you asked")
        elif missing:
            result = Result(step.name, step.what, "skipped", f"stands on {', '.join(missing)}", sound=False)
        else:
            result = _run(step, patient)
        sound[step.name] = result.sound
        yield result


def standing_on(steps: Sequence[Step[Patient]], names: Collection[str]) -> list[Step[Patient]]:
    """These steps and those that they stand on, in order."""
    known = {step.name: step for step in steps}
    wanted: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += known[name].needs
    return [step for step in steps if step.name in wanted]


def _run(step: Step[Patient], patient: Patient) -> Result:
    """A check that breaks is a fault of what it looks at: the doctor goes on with the other steps."""
    try:
        found = step.check(patient)
    except NotHere as exc:
        return Result(step.name, step.what, "skipped", str(exc))
    except ApiRefused as exc:
        role = " (your account lacks a role: docs/operating.md#roles)" if exc.status == FORBIDDEN else ""
        return Result(step.name, step.what, "failed", f"{exc}{role}", step.advice, sound=False)
    except Exception as exc:
        told = str(exc) if isinstance(exc, PipelineError) else f"{type(exc).__name__}: {exc}"
        return Result(step.name, step.what, "failed", " ".join(told.split())[:400], step.advice, sound=False)
    if not found.faults:
        return Result(step.name, step.what, "ok", found.told)
    return Result(step.name, step.what, "failed", _told(found.faults), _advice(found.faults), sound=False)


def _told(faults: Sequence[Fault]) -> str:
    more = [f"and {len(faults) - MOST_TOLD} more"] if len(faults) > MOST_TOLD else []
    return "; ".join([fault.told for fault in faults[:MOST_TOLD]] + more)


def _advice(faults: Sequence[Fault]) -> str:
    return "; ".join(dict.fromkeys(fault.advice for fault in faults[:MOST_TOLD]))
