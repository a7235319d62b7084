"""When which kind of dirt comes: exact numbers of each, at random places, without a plan in memory."""

from collections.abc import Mapping, Set
from random import Random

NOTHING: Set[str] = frozenset()


class Schedule:
    """Deals out what is left of each kind. Drawing without replacement gives exact counts over the whole run."""

    def __init__(self, rng: Random, counts: Mapping[str, int], sizes: Mapping[str, int], rows: int) -> None:
        """`sizes` says how many received rows one of a kind takes; the rows left over are clean."""
        self._rng = rng
        self._left = {kind: count for kind, count in counts.items() if count}
        self._dirty = sum(self._left.values())
        self._clean = rows - sum(count * sizes[kind] for kind, count in self._left.items())
        self._sizes = sizes

    @property
    def units(self) -> int:
        """How many draws are left: clean rows, and dirty ones of whatever size."""
        return self._dirty + self._clean

    def draw(self, room: int, barred: Set[str] = NOTHING) -> str | None:
        """The kind that comes next, or None for a clean row. What is barred here or needs more room stays for later."""
        if self._rng.random() * (self._dirty + max(0, self._clean)) >= self._dirty:
            self._clean -= 1
            return None
        kind = self._rng.choices(list(self._left), list(self._left.values()))[0]
        if kind in barred or self._sizes[kind] > room:
            self._clean -= 1
            return None
        self._dirty -= 1
        self._left[kind] -= 1
        if not self._left[kind]:
            del self._left[kind]
        return kind
