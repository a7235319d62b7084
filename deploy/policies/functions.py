"""What functions.yaml says is what is planned: every function, its size, its triggers, its secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.planned import Plan, Resource
from deploy.policies.calls import FUNCTION, JOB, SUBSCRIPTION, callers, target
from deploy.repository import Repository

SIZES = {
    "memory": "service_config.available_memory",
    "timeout_seconds": "service_config.timeout_seconds",
    "concurrency": "service_config.max_instance_request_concurrency",
    "entry_point": "build_config.entry_point",
}


def slug(name: str) -> str:
    """The name of a function where Google takes no underscore."""
    return name.replace("_", "-")


def planned_functions(plan: Plan) -> dict[str, Resource]:
    """The functions of a plan by their slugs."""
    return {str(function.at("name")): function for function in plan.of(FUNCTION)}


def the_table_is_what_is_planned(plan: Plan, repository: Repository) -> Iterator[str]:
    """The same functions, no more and no less, each with the figures of its row."""
    rows = {slug(name): row for name, row in repository.deployed(plan.environment).items()}
    planned = planned_functions(plan)
    yield from (
        f"functions.yaml: {name} is not planned for {plan.environment}" for name in sorted(rows.keys() - planned)
    )
    yield from (f"{planned[name].address}: is not in functions.yaml" for name in sorted(planned.keys() - rows))
    for name in sorted(rows.keys() & planned.keys()):
        for column, path in SIZES.items():
            found, said = planned[name].at(path), rows[name][column]
            if found != said:
                yield f"{planned[name].address}: {path} is {found}, functions.yaml says {said}"
        if planned[name].at("service_config.max_instance_count") > rows[name]["max_instances"]:
            yield f"{planned[name].address}: may have more instances than functions.yaml says"


def ingress_follows_the_triggers(plan: Plan, repository: Repository) -> Iterator[str]:
    """From outside only what an operator or a client calls; what is pushed, scheduled or for dev only is internal."""
    for name, row in repository.deployed(plan.environment).items():
        function = planned_functions(plan).get(slug(name))
        called = any("http" in trigger for trigger in row["triggers"]) and row.get("environments") != ["dev"]
        expected = "ALLOW_ALL" if called else "ALLOW_INTERNAL_ONLY"
        if function and function.at("service_config.ingress_settings") != expected:
            yield f"{function.address}: ingress_settings must be {expected}"


def triggers_are_what_calls(plan: Plan, repository: Repository) -> Iterator[str]:
    """Every trigger has its subscription or job, and every push subscription and job its trigger."""
    expected = set(_triggers(repository.deployed(plan.environment)))
    found = set(_calls(plan))
    yield from (f"functions.yaml: nothing calls {name} for {what} {of}" for name, what, of in sorted(expected - found))
    yield from (
        f"{name} is called for {what} {of}, which functions.yaml does not say"
        for name, what, of in sorted(found - expected)
    )


def secrets_are_those_of_the_table(plan: Plan, repository: Repository) -> Iterator[str]:
    """A function has no secret that its row does not name, and every secret that a row names is there."""
    rows = repository.deployed(plan.environment)
    kept = {secret.at("secret_id") for secret in plan.of("google_secret_manager_secret")}
    for name, row in rows.items():
        function = planned_functions(plan).get(slug(name))
        given = function.all("service_config.secret_environment_variables.key") if function else []
        more = [key for key in given if key not in row["secrets"]]
        yield from (f"functions.yaml: {name} is given {key}, which its row does not name" for key in more)
        yield from (
            f"functions.yaml: {name} needs the secret {key}, which is not planned"
            for key in row["secrets"]
            if key not in kept
        )


def bundles_are_named_by_their_content(plan: Plan) -> Iterator[str]:
    """A bundle under the same name is not deployed: the name must change with what is in it."""
    bundles = {(b.at("bucket"), b.at("name")) for b in plan.of("google_storage_bucket_object")}
    for function in plan.of(FUNCTION):
        source = "build_config.source.storage_source."
        where = function.at(f"{source}bucket"), str(function.at(f"{source}object"))
        if where not in bundles:
            yield f"{function.address}: its source {where[1]} is no object of this plan"
        elif not _hashed(where[1]):
            yield f"{function.address}: its source {where[1]} is not named by a hash, so a change is not deployed"


def _hashed(name: str) -> bool:
    stem = name.rpartition("/")[2].removesuffix(".zip").rpartition("-")[2]
    return len(stem) >= 16 and set(stem) <= set("0123456789abcdef")


def _triggers(rows: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for name, row in rows.items():
        for trigger in row["triggers"]:
            if "topic" in trigger:
                yield slug(name), "topic", trigger["topic"]
            elif "schedule" in trigger:
                yield slug(name), "schedule", f"{trigger['schedule']} UTC"


def _calls(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for caller, url, _, _ in callers(plan):
        function = target(plan, url)
        name = str(function.at("name") if function else url)
        if caller.kind == SUBSCRIPTION:
            topic = plan.find("google_pubsub_topic", str(caller.at("topic")))
            yield name, "topic", str(topic.at("name") if topic else caller.at("topic"))
        elif caller.kind == JOB:
            zone = "UTC" if caller.at("time_zone") in ("Etc/UTC", "UTC") else str(caller.at("time_zone"))
            yield name, "schedule", f"{caller.at('schedule')} {zone}"
