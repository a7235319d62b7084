"""The steps of the doctor, in their order."""

from __future__ import annotations

from cli.doctor.access import check_agents, check_apis, check_credentials, check_settings
from cli.doctor.canary import BOTTLENECKS, check_canary
from cli.doctor.installation import TERRAFORM, Installation
from cli.doctor.messaging import check_backlog, check_buckets, check_dead_letters, check_subscriptions, check_topics
from cli.doctor.runtime import check_functions, check_scheduler, check_secrets
from cli.doctor.steps import Step
from cli.doctor.stores import MIGRATE, check_feed, check_migrations, check_postgres, check_warehouse
from cli.google_api import LOG_IN

CANARY = "canary"
ENV_FILE = "terraform -chdir=terraform output -json environment > prod.json; sluice --env-file prod.json doctor"
REACH = "docs/operating.md#reach-postgres; runbook: the-database-is-out-of-connections"

STEPS: tuple[Step[Installation], ...] = (
    Step("settings", "the variables of the installation", (), check_settings, ENV_FILE),
    Step("credentials", "who you are", ("settings",), check_credentials, LOG_IN),
    Step("apis", "Google's services are on", ("credentials",), check_apis, TERRAFORM),
    Step("agents", "Google's accounts have their grants", ("apis",), check_agents, TERRAFORM),
    Step("buckets", "buckets, and the notification of arrivals", ("apis",), check_buckets, TERRAFORM),
    Step("topics", "topics", ("apis",), check_topics, TERRAFORM),
    Step("subscriptions", "subscriptions, as functions.yaml says", ("topics",), check_subscriptions, TERRAFORM),
    Step("deadletters", "each dead-letter topic is kept", ("topics",), check_dead_letters, TERRAFORM),
    Step("backlog", "nothing was given up or waits for long", ("apis",), check_backlog, "sluice status"),
    Step("warehouse", "datasets, tables and views", ("apis",), check_warehouse, TERRAFORM),
    Step("postgres", "the database answers", ("credentials",), check_postgres, REACH),
    Step("migrations", "migrations are current", ("postgres",), check_migrations, MIGRATE),
    Step("feed", "the feed's position is of this database", ("migrations",), check_feed, MIGRATE),
    Step("functions", "functions are there and answer", ("apis",), check_functions, TERRAFORM),
    Step("scheduler", "jobs are enabled and succeed", ("apis",), check_scheduler, TERRAFORM),
    Step("secrets", "secrets have a version", ("apis",), check_secrets, TERRAFORM),
    Step(
        CANARY, "a file and a message go through to the mart",
        ("buckets", "subscriptions", "warehouse", "feed", "functions", "scheduler", "secrets"), check_canary,
        BOTTLENECKS,
    ),
)  # fmt: skip
