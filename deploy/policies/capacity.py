"""Every function at its most instances, in two revisions at once, leaves Postgres connections to spare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.planned import Plan
from deploy.policies.functions import planned_functions, slug
from deploy.repository import Repository

SHARE = 0.85
REVISIONS = 2
"""While a deployment changes over, the old and the new revision run side by side."""


@dataclass(frozen=True)
class Use:
    """One function: a connection for each request that it handles at a time."""

    function: str
    instances: int
    concurrency: int

    @property
    def connections(self) -> int:
        """The most that one revision holds."""
        return self.instances * self.concurrency


def uses(plan: Plan, repository: Repository) -> list[Use]:
    """The functions with the role database_client, as they are planned."""
    planned = planned_functions(plan)
    clients = [name for name, row in repository.deployed(plan.environment).items() if "database_client" in row["roles"]]
    where = "service_config."
    return [
        Use(name, found.at(f"{where}max_instance_count"), found.at(f"{where}max_instance_request_concurrency"))
        for name in clients
        if (found := planned.get(slug(name)))
    ]


def max_connections(plan: Plan) -> int:
    """The flag of the database; 0 where it is not set."""
    for database in plan.of("google_sql_database_instance"):
        for flag in database.all("settings.database_flags"):
            if flag["name"] == "max_connections":
                return int(flag["value"])
    return 0


def connections_suffice(plan: Plan, repository: Repository) -> Iterator[str]:
    """Instances × concurrency × revisions, in all, stay under 85 % of max_connections."""
    needed = REVISIONS * sum(use.connections for use in uses(plan, repository))
    most = max_connections(plan)
    if needed > SHARE * most:
        yield f"functions may hold {needed} connections, more than {SHARE:.0%} of max_connections = {most}"
