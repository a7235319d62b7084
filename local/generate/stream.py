"""The stream of transaction lines, in writing order, with the books kept as it goes, in bounded memory."""

from collections import Counter, deque
from collections.abc import Iterator
from heapq import heappop, heappush

from local.generate.defects import FIELD_DEFECTS, LINE_DEFECTS
from local.generate.orders import ORDER_KINDS, SALE_KINDS, Event
from local.generate.sales import Books, Sale, Till, join
from local.generate.schedule import NOTHING, Schedule

NOT_IN_ARRAYS = frozenset(name for name, defect in LINE_DEFECTS.items() if not defect.array)
HEAD = 4000
"""Lines at the head of a file that one chunk surely holds together."""


class TransactionStream:
    """All transactions of a data set; each call of `lines` goes on where the last file ended."""

    def __init__(self, till: Till, books: Books, schedule: Schedule, rows: int) -> None:
        self._till = till
        self._books = books
        self._schedule = schedule
        self._rows = rows
        self._begun = 0
        self._position = 0
        self._next_lines: deque[bytes] = deque()
        self._held_back: list[tuple[int, int, bytes]] = []
        self._serial = 0
        self.dirt: Counter[str] = Counter()

    def lines(self, rows: int, *, array: bool) -> Iterator[bytes]:
        """The lines of one file, of which `rows` count as received. In an array no line may break its neighbours."""
        barred = NOT_IN_ARRAYS if array else NOTHING
        written = 0
        while written < rows:
            line = self._due()
            if line is None:
                kind = self._schedule.draw(self._rows - self._begun, barred)
                sale = self._till.sell(self._position / self._rows)
                if kind is None:
                    self._begun += 1
                    self._books.stand(sale)
                    line = self._till.line(sale)
                else:
                    line = self._spoil(kind, sale, dispute=written < min(HEAD, rows - 1))
            if not line.isspace():
                written += 1
                self._position += 1
            yield line

    def _due(self) -> bytes | None:
        """The line of an order begun earlier whose turn it is; when nothing new is left to begin, any of them."""
        if self._next_lines:
            return self._next_lines.popleft()
        if self._held_back and (self._held_back[0][0] <= self._position or self._begun == self._rows):
            return heappop(self._held_back)[2]
        return None

    def _spoil(self, kind: str, sale: Sale, *, dispute: bool) -> bytes:
        """Write this sale with this kind of dirt; the first line of it, while further ones wait for their turn."""
        self.dirt[kind] += 1
        if kind in ORDER_KINDS:
            self._begun += ORDER_KINDS[kind].rows
            first, *later = ORDER_KINDS[kind].build(self._till, self._books, sale, dispute)
            for event in later:
                self._hold_back(event)
            return first.line
        if kind in LINE_DEFECTS:
            return self._spoil_line(kind, sale)
        self._begun += 1
        if kind in SALE_KINDS:
            SALE_KINDS[kind](self._till, sale)
            self._books.stand(sale)
            return self._till.line(sale)
        return self._spoil_field(kind, sale)

    def _hold_back(self, event: Event) -> None:
        if event.delay == 0:
            self._next_lines.append(event.line)
            return
        self._serial += 1
        heappush(self._held_back, (self._position + event.delay, self._serial, event.line))

    def _spoil_line(self, kind: str, sale: Sale) -> bytes:
        defect = LINE_DEFECTS[kind]
        if defect.reason is not None:
            self._begun += 1
            self._books.counts.quarantine(defect.reason)
        return defect.edit(self._till.line(sale), self._till.rng)

    def _spoil_field(self, kind: str, sale: Sale) -> bytes:
        defect = FIELD_DEFECTS[kind]
        fields = self._till.fields(sale)
        defect.edit(fields, self._till.rng)
        if defect.reason is not None:
            self._books.counts.quarantine(defect.reason)
        else:
            self._books.stand(sale)
            if defect.flag is not None:
                self._books.flags[defect.flag] += 1
        return join(fields)
