"""A message, and one delivery of it to one subscription."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


@dataclass(slots=True, eq=False)
class Message:
    """What is known of a stored message without its body; `holders` counts the deliveries still to be settled."""

    number: int
    published: float
    size: int
    holders: int = 0


class State(Enum):
    READY = auto()
    WAITING = auto()
    LEASED = auto()
    BURYING = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class Delivery:
    """A message on its way to a subscription.

    Copy 0 is the message itself and is durable. Other copies are the repeats that at-least-once allows: they live in
    memory, go out once, and are never retried.
    """

    message: Message
    copy: int = 0
    failures: int = 0
    state: State = State.READY
    turn: int = 0
    lease: int = 0
    released: Callable[["Delivery"], None] | None = None

    @property
    def key(self) -> tuple[int, int]:
        return self.message.number, self.copy

    @property
    def ack_id(self) -> str:
        return f"{self.message.number}-{self.copy}-{self.lease}"


@dataclass(frozen=True, slots=True)
class AckId:
    """What a client hands back: which delivery, and which of its leases."""

    key: tuple[int, int]
    lease: int

    @classmethod
    def parse(cls, text: str) -> "AckId | None":
        parts = text.split("-")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
            return None
        number, copy, lease = (int(part) for part in parts)
        return cls((number, copy), lease)
