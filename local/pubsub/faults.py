"""The weather: what a test can ask the service to do wrong while it runs."""

import random
from dataclasses import dataclass

from local.pubsub.refusals import invalid

COPY_SPREAD_SECONDS = 0.5
"""Copies of a message go out at random within this time, so some overlap the first and some follow it."""


@dataclass(slots=True)
class Faults:
    """All harmless at their defaults, except that a share of the messages goes out twice, as it may."""

    duplicate_rate: float = 0.01
    copies: int = 1
    shuffle_window: int = 1
    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    fail_publishes: int = 0

    def check(self) -> None:
        """Refuse settings that mean nothing, by name."""
        if not 0 <= self.duplicate_rate <= 1:
            raise invalid(f"duplicate_rate is a share between 0 and 1, not {self.duplicate_rate}.")
        for name, least in {"copies": 1, "shuffle_window": 1, "fail_publishes": 0}.items():
            if getattr(self, name) < least:
                raise invalid(f"{name} is at least {least}, not {getattr(self, name)}.")
        if min(self.delay_seconds, self.jitter_seconds) < 0:
            raise invalid("delay_seconds and jitter_seconds cannot be negative.")


class Weather:
    """Faults plus the dice; one object, shared by everything that delivers, so a change holds at once."""

    def __init__(self, faults: Faults, seed: int | None) -> None:
        self.faults = faults
        self._dice = random.Random(seed)  # noqa: S311 - chance for tests, not a secret

    def extra_copies(self) -> int:
        """How many copies to deliver beyond the message itself."""
        twice = self.faults.duplicate_rate > 0 and self._dice.random() < self.faults.duplicate_rate
        return self.faults.copies - 1 + int(twice)

    def delay(self) -> float:
        jitter = self.faults.jitter_seconds
        return self.faults.delay_seconds + (self._dice.random() * jitter if jitter else 0.0)

    def copy_delay(self) -> float:
        return self.delay() + self._dice.random() * COPY_SPREAD_SECONDS

    def pick(self, ready: int) -> int:
        """Which of the messages that are ready goes next."""
        window = min(self.faults.shuffle_window, ready)
        return self._dice.randrange(window) if window > 1 else 0

    def publish_fails(self) -> bool:
        """Use up one of the publishes that are to fail."""
        if self.faults.fail_publishes == 0:
            return False
        self.faults.fail_publishes -= 1
        return True
