"""A crash at a chosen point of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.errors import DependencyUnavailable


class Failing:
    """Lets one method of an adapter raise at its n-th call, before it does anything: a crash at that point.

    `Failing(publisher, "publish", at=2)` passes everything else through.
    """

    def __init__(self, inner: object, method: str, at: int = 1) -> None:
        self._inner = inner
        self._method = method
        self._left = at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._fail_or(found) if name == self._method else found

    def _fail_or(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                raise DependencyUnavailable(f"{self._method} fails because a test asked for it")
            return method(*args, **kwargs)

        return call
