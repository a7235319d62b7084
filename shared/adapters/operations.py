"""Everything that an operator may order of quarantine, held chunks and dead letters, for the command and for HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Literal

import msgspec

from shared.adapters.actions import Order, Result, carry_out
from shared.adapters.choosing import Chosen
from shared.adapters.deadletters import DeadLetters
from shared.adapters.deciding import list_held, order_decision
from shared.adapters.ports import ObjectStore, Publisher
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.replaying import Found, Replay, order_discard, order_replay, select
from shared.domain.redriving import DeadLetter
from shared.domain.sources import SOURCES
from shared.errors import OrderRefused
from shared.settings import Settings


class Filters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which rows, chunks or messages; `function`, `topic` and `message_id` are for dead letters, the others are not."""

    source: str | None = None
    reason: str | None = None
    file: str | None = None
    day: date | None = None
    chunk: str | None = None
    line: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    function: str | None = None
    topic: str | None = None
    message_id: str | None = None

    @property
    def chosen(self) -> Chosen:
        """The filters of rows and chunks."""
        return Chosen(self.source, self.reason, self.file, self.day, self.chunk, self.line)

    def wants(self, letter: DeadLetter) -> bool:
        """Whether a dead letter is meant."""
        return (
            self.function in (None, letter.function)
            and self.topic in (None, letter.topic)
            and self.message_id in (None, letter.message_id)
        )


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One order. `set` gives values to fields before a replay; `why` belongs to a discard; `force` lifts the guard."""

    action: Literal["replay", "discard", "release", "reject", "deadletter"]
    filters: Filters = Filters()
    set: dict[str, str] = {}
    why: str = ""
    force: bool = False
    dry_run: bool = False

    def check(self) -> None:
        """Raises OrderRefused where the parts do not fit together."""
        filters = msgspec.to_builtins(self.filters)
        texts = [*self.set, *self.set.values(), self.why, *(v for v in filters.values() if isinstance(v, str))]
        if any("\0" in text for text in texts):
            raise OrderRefused("malformed", "no text of an order may hold a NUL character")
        given = set(filters)
        letters = {"function", "topic", "message_id"}
        wrong = given - letters if self.action == "deadletter" else given & letters
        if self.action in ("release", "reject"):
            wrong |= given & {"reason", "line"}
        if wrong:
            raise OrderRefused("wrong_filter", f"{self.action} takes no filter {', '.join(sorted(wrong))}")
        if self.action != "deadletter" and not given:
            raise OrderRefused("no_filter", f"{self.action} needs a filter: source, reason, file, day, chunk or line")
        if self.filters.line is not None and self.filters.chunk is None:
            raise OrderRefused("chunk_missing", "a line is one of a chunk; name the chunk too")
        if self.filters.source not in (None, *SOURCES):
            raise OrderRefused("unknown_source", f"a source is one of {', '.join(SOURCES)}")
        if self.set and self.action != "replay":
            raise OrderRefused("wrong_set", "only a replay sets values")
        if (self.action == "discard") != bool(self.why.strip()):
            raise OrderRefused("why", "a discard needs a reason (why), and nothing else takes one")
        if self.action == "replay":
            Replay(self.filters.chosen, self.set, self.force).check()


@dataclass(frozen=True)
class Office:
    """What an order is carried out with."""

    session: Session
    store: ObjectStore
    publisher: Publisher
    letters: DeadLetters
    settings: Settings


def perform(ask: Ask, request_id: str, operator: str, office: Office) -> Result:
    """Carry out an order, or say what it would do. Raises OrderRefused for one that makes no sense."""
    ask.check()
    if ask.dry_run:
        return {"dry_run": True, **_preview(ask, office)}
    chosen = ask.filters.chosen
    replay = Replay(chosen, ask.set, ask.force)
    details = {"replay": replay.details(), "discard": {"why": ask.why}}.get(ask.action, {"force": ask.force})
    order = Order(request_id, operator, ask.action, msgspec.to_builtins(ask.filters), details)
    if ask.action == "replay":
        return order_replay(office.session, office.store, office.publisher, office.settings, replay, order)
    if ask.action == "discard":
        return order_discard(office.session, chosen, ask.why, order)
    if ask.action == "deadletter":
        return carry_out(office.session, order, lambda _: _redrive(ask, office))
    decision: Literal["released", "rejected"] = "released" if ask.action == "release" else "rejected"
    return order_decision(office.session, office.publisher, chosen, decision, order)


def _preview(ask: Ask, office: Office) -> Result:
    if ask.action == "replay":
        found = Found()
        replay = Replay(ask.filters.chosen, ask.set, ask.force)
        for _ in select(office.session, office.store, office.settings, replay, found):
            continue
        return found.as_result()
    if ask.action == "discard":
        params = ask.filters.chosen.params()
        chunks = rows_of(office.session, "list_replay_chunks", guard=0, **params)
        return {"rows": sum(guarded for *_, guarded in chunks)}
    if ask.action == "deadletter":
        found_letters = office.letters.peek(lambda letter: _may_go(ask, letter, office.settings))
        return {"messages": len(found_letters)}
    held = [each for each in list_held(office.session, ask.filters.chosen) if each.decision is None]
    return {"chunks": len(held), "rows": sum(each.received for each in held)}


def _redrive(ask: Ask, office: Office) -> Result:
    sent = office.letters.redrive(lambda letter: _may_go(ask, letter, office.settings))
    left = office.letters.peek(ask.filters.wants)
    return {"messages": len(sent), "left": len(left), "at": datetime.now(UTC).isoformat()}


def _may_go(ask: Ask, letter: DeadLetter, settings: Settings) -> bool:
    return ask.filters.wants(letter) and (ask.force or letter.redrives < settings.redrive_guard)
