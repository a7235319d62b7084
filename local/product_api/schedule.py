"""Which request goes wrong, and how: the script first, then dice with a seed."""

from __future__ import annotations

import random

from local.product_api.plan import OK, Plan


class Schedule:
    """Tells for one request after the other what becomes of it; the same plan tells the same."""

    def __init__(self, plan: Plan) -> None:
        self._script = list(reversed(plan.script))
        self._rates = plan.rates
        self._dice = random.Random(plan.seed)  # noqa: S311 - chance for tests, not a secret

    def next(self) -> str:
        """`ok` or one of FAULTS."""
        if self._script:
            return self._script.pop()
        thrown = self._dice.random()
        for kind, rate in self._rates.items():
            if thrown < rate:
                return kind
            thrown -= rate
        return OK

    def server_error(self) -> int:
        """The status of a fault 5xx."""
        return self._dice.choice((500, 502, 503, 504))
