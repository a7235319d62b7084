"""Close a month: book its sales for good, and as adjustments what changed in closed months since. See docs/close.md.

Trigger  HTTP POST, JSON       Reads   ledger and commerce in one snapshot, totals by day of BigQuery
Writes   schema finance, the order and its result to schema audit
Retry    by the caller         Key     header Idempotency-Key: the same key gives the first result
"""

from __future__ import annotations

from datetime import UTC, datetime

import functions_framework
from flask import Request, Response

from shared.adapters.actions import Result
from shared.adapters.month_close import CloseAsk, Office, perform
from shared.adapters.sessions import session
from shared.adapters.warehouse import BigQueryWarehouse
from shared.entrypoint import boundary
from shared.ordering import answer_order
from shared.settings import load_settings

CONFLICTS = {
    "request_reused", "month_not_over", "already_closed", "before_the_books", "earlier_month_open", "no_sales",
    "base_currency_changed", "unaccounted", "stores_differ", "mart_behind",
}  # fmt: skip


@functions_framework.http
@boundary("close_month")
def close_month(request: Request) -> Response:
    """Entry point."""
    settings = load_settings()

    def carry_out(ask: CloseAsk, request_id: str, operator: str) -> Result:
        with session(settings) as lent:
            warehouse = BigQueryWarehouse(settings, "close_month")
            return perform(
                ask, request_id, operator, Office(lent, warehouse, settings.base_currency, datetime.now(UTC))
            )

    return answer_order(request, CloseAsk, settings.operators, carry_out, CONFLICTS)
