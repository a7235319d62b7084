"""Which database a test talks to, in the shape that `connect` reads."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Target:
    database_url: str
    cloudsql_instance: str = ""
    cloudsql_user: str = ""
    cloudsql_database: str = ""

    def named(self, database: str) -> Target:
        """The same server, another database."""
        return replace(self, database_url=f"{self.database_url.rpartition('/')[0]}/{database}")
