"""Message bodies: the recent ones in memory up to a limit, the others in the file."""

from collections import OrderedDict
from collections.abc import Callable

MEMORY_LIMIT_BYTES = 64 * 2**20


class Payloads:
    """Bodies by message number; memory stays bounded however large the backlog grows."""

    def __init__(self, load: Callable[[int], bytes], limit: int = MEMORY_LIMIT_BYTES) -> None:
        self._load = load
        self._limit = limit
        self._size = 0
        self._bodies: OrderedDict[int, bytes] = OrderedDict()

    def put(self, number: int, body: bytes) -> None:
        self._bodies[number] = body
        self._size += len(body)
        while self._size > self._limit:
            _, dropped = self._bodies.popitem(last=False)
            self._size -= len(dropped)

    def get(self, number: int) -> bytes:
        body = self._bodies.get(number)
        return self._load(number) if body is None else body

    def forget(self, number: int) -> None:
        self._size -= len(self._bodies.pop(number, b""))
