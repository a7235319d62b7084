"""When a message that was not acknowledged may go out again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential between two bounds; both zero means at once."""

    minimum: float
    maximum: float

    def delay(self, failures: int) -> float:
        """Seconds to wait after the given number of failed deliveries (1 or more)."""
        return min(self.minimum * 2.0 ** min(failures - 1, 32), self.maximum)

    def scaled(self, factor: float) -> "Backoff":
        return Backoff(self.minimum * factor, self.maximum * factor)


AT_ONCE = Backoff(0.0, 0.0)
"""A pull subscription without a retry policy."""

PUSH_DEFAULT = Backoff(0.1, 60.0)
"""A push subscription without a retry policy: the service slows down by itself when an endpoint fails."""
