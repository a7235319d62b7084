"""An operator's order on record: the same request is one order, and its first result is what a repeat gets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.errors import OrderRefused

Result = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """Who orders what. `details` holds reasons and set fields, but never a value of a users' field."""

    request_id: str
    operator: str
    action: str
    filters: Mapping[str, Any]
    details: Mapping[str, Any]


def carry_out(session: Session, order: Order, work: Callable[[int], Result]) -> Result:
    """Record the order, do the work with the order's number, record its result; done before → the first result.

    An order that was cut off has no result and is done again, so the work must bear being done twice. Raises
    OrderRefused where the request id belongs to another order.
    """
    filters = json.dumps(order.filters, default=str, sort_keys=True)
    details = json.dumps(order.details, default=str, sort_keys=True)
    rows_of(session, "lock_request", request_id=order.request_id)
    try:
        action_id, same, known = rows_of(
            session, "record_action", request_id=order.request_id, operator=order.operator, action=order.action,
            filters=filters, details=details,
        )[0]  # fmt: skip
        if not same:
            raise OrderRefused("request_reused", f"request {order.request_id} was another order; use a key of its own")
        if known is not None:
            return {**known, "repeated": True}
        result = {"action_id": action_id, **work(action_id)}
        rows_of(session, "record_result", action_id=action_id, result=json.dumps(result, default=str))
        return result
    finally:
        rows_of(session, "unlock_request", request_id=order.request_id)
