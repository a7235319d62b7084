"""The errors of the pipeline, classed by what to do next.

PipelineError
├── PermanentError     the data is bad: quarantine it, log a warning, answer 2xx
│   ├── MalformedRecord    one record cannot be read
│   ├── UnsupportedFile    a whole file is refused before its first chunk goes out
│   └── OrderRefused       an operator's order cannot be carried out as it is written
├── TransientError     the world is not ready: raise, the platform retries
│   ├── DependencyUnavailable
│   ├── Throttled
│   ├── LockTimeout
│   └── CatalogueMoved     the pages of one extraction do not fit: read them afresh
├── Inconsistent       two places that must agree do not: raise, so that it is retried, dead-lettered and seen
│   ├── NotInWarehouse     a table or rows that a job of the warehouse names are not there, or no longer
│   ├── FeedStopped        the warehouse feed must not go on until an operator orders a full re-feed
│   └── QueryRefused       a query would read more of the warehouse than it may
└── ConfigError        the installation is wrong: raise at first use

Adapters map every foreign exception to one of these at the seam (`raise … from exc`). What they do not know is
raised through, is retried and ends, bounded by the number of attempts, in the dead-letter topic.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Root of all errors that the pipeline raises on purpose."""


class PermanentError(PipelineError):
    """Trying again cannot help.

    `reason` is the code that the ledger shows; the message says what was wrong, where, and what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MalformedRecord(PermanentError):
    """One record cannot be read; it is quarantined and the records around it go on."""


class UnsupportedFile(PermanentError):
    """A file is refused as a whole, for what is known before its first chunk goes out."""


class OrderRefused(PermanentError):
    """An operator ordered what cannot be done; the message says what to write instead."""


class TransientError(PipelineError):
    """Trying again later may help; the platform's retry does it."""


class DependencyUnavailable(TransientError):
    """A service that is needed does not answer or answers with a fault of its own."""


class Throttled(TransientError):
    """A service asks to be called less often."""


class LockTimeout(TransientError):
    """Another writer holds what is needed, or a deadlock or serialisation failure was resolved against us."""


class CatalogueMoved(TransientError):
    """The pages of one extraction do not fit together: one was cut short, or the catalogue changed while it was read.

    `digest` stands for what the pages held where only a product on two of them speaks against it, else it is None.
    """

    def __init__(self, message: str, digest: str | None = None) -> None:
        super().__init__(message)
        self.digest = digest


class Inconsistent(PipelineError):
    """What one stage wrote is not what another finds. It is never acknowledged: that would lose rows in silence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotInWarehouse(Inconsistent):
    """What a job of the warehouse names is not there. Staging tables and the rows of a query are kept a day."""


class FeedStopped(Inconsistent):
    """The position of the feed belongs to another database cluster (a restore, a clone, a promotion)."""


class QueryRefused(Inconsistent):
    """A query would read more bytes than its limit; BigQuery refuses it before it reads (and bills) anything."""


class ConfigError(PipelineError):
    """The installation is wrong: a setting, a migration or a missing resource."""
