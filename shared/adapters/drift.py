"""Schema drift: what the profiles of new chunks say that is not usual, recorded and raised in one transaction.

A chunk carries a mark that its profile was taken, set in the same transaction, so each is counted once, however often
its message was delivered, and a crash loses none. A mark outlives a restore into another cluster, where a position
made of transaction ids would mean nothing.
"""

from __future__ import annotations

from typing import Any

from shared.adapters.alerts import raise_alert
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of

CHUNKS_AT_ONCE = 5_000
LEAST_ROWS = 100
"""So many rows without a field say that it has vanished; fewer say nothing."""
MOST_FIELDS = 200
"""So many unknown fields of a source are kept by name; the others count as one."""


def record_drift(session: Session) -> tuple[int, int]:
    """Take the profiles that wait; how many chunks were taken, and how many alerts are new."""
    chunks = alerts = 0
    while True:
        with session.transaction():
            taken, findings = rows_of(
                session, "record_drift", most=CHUNKS_AT_ONCE, least_rows=LEAST_ROWS, most_fields=MOST_FIELDS
            )[0]
            alerts += sum(_raise(session, finding) for finding in findings)
        chunks += taken
        if taken < CHUNKS_AT_ONCE:
            return chunks, alerts


def _raise(session: Session, finding: dict[str, Any]) -> bool:
    subject = f"{finding['source']}.{finding['field']}"
    types: dict[str, int] = finding["types"]
    told = ", ".join(f"{kind} in {rows:,}" for kind, rows in sorted(types.items()))
    where = f"first in chunk {finding['chunk']}"
    match finding["state"]:
        case "new":
            text, on = f"no schema names this field: {told} rows, {where}", "new"
        case "retyped":
            known = " or ".join(finding["known_types"])
            text, on = f"was {known}; now {told} of the rows looked at, {where}", f"retyped {'+'.join(sorted(types))}"
        case _:
            share = 100 * finding["known_present"] / finding["known_rows"]
            text = f"missing in all of {types['absent']:,} rows, {where}; before in {share:.0f} % of the rows"
            on = f"vanished {finding['day']}"
    return raise_alert(session, "schema_drift", "warning", subject, text, on=on)
