"""Nothing is public: no member, bucket, database, address or port that anybody on the internet reaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.planned import Plan

EVERYBODY = {"allUsers", "allAuthenticatedUsers"}
THE_INTERNET = {"0.0.0.0/0", "::/0"}
ENCRYPTED = {"ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"}


def nobody_is_everybody(plan: Plan) -> Iterator[str]:
    """No grant, dataset access or special group names all users, wherever it stands in a resource."""
    for resource in plan.resources:
        for word in sorted(EVERYBODY & set(_texts(resource.values))):
            yield f"{resource.address}: {word} is the public; name who may"


def buckets_refuse_the_public(plan: Plan) -> Iterator[str]:
    """A grant to the public, or an ACL of one object, has no effect on any bucket."""
    for bucket in plan.of("google_storage_bucket"):
        if bucket.at("public_access_prevention") != "enforced":
            yield f"{bucket.address}: public_access_prevention must be enforced"
        if bucket.at("uniform_bucket_level_access") is not True:
            yield f"{bucket.address}: uniform_bucket_level_access must be true"


def databases_are_private(plan: Plan) -> Iterator[str]:
    """No public address and no list of networks; only encrypted connections, from our network."""
    for database in plan.of("google_sql_database_instance"):
        ip = "settings.ip_configuration."
        if database.at(f"{ip}ipv4_enabled") is not False:
            yield f"{database.address}: ipv4_enabled must be false, or the database has a public address"
        if database.all(f"{ip}authorized_networks"):
            yield f"{database.address}: authorized_networks opens it to addresses; connect from the VPC"
        if database.at(f"{ip}ssl_mode") not in ENCRYPTED:
            yield f"{database.address}: ssl_mode must be one of {', '.join(sorted(ENCRYPTED))}"
        if not database.at(f"{ip}private_network"):
            yield f"{database.address}: private_network is missing"


def no_port_is_open(plan: Plan) -> Iterator[str]:
    """No firewall rule lets the internet in, and no machine has an address of its own."""
    for rule in plan.of("google_compute_firewall"):
        inward = rule.at("direction") in (None, "INGRESS")
        if inward and rule.all("allow") and THE_INTERNET & set(rule.all("source_ranges")):
            yield f"{rule.address}: lets the whole internet in"
    for machine in plan.of("google_compute_instance", "google_compute_instance_template"):
        if machine.all("network_interface.access_config"):
            yield f"{machine.address}: access_config gives it a public address"


def services_ask_who_calls(plan: Plan) -> Iterator[str]:
    """A Cloud Run service never drops the check of the caller's identity."""
    for service in plan.of("google_cloud_run_v2_service"):
        if service.at("invoker_iam_disabled") is True:
            yield f"{service.address}: invoker_iam_disabled lets anybody call it"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
