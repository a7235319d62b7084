"""Each policy finds what it is for, in a plan of a few resources."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.planned import Plan, Resource
from deploy.policies import OF_THE_PLAN, calls, encryption, exposure, functions, labels, messages, roles, warehouse
from deploy.policies.alerts import alerts_use_metrics_that_are_there
from deploy.policies.protection import (
    databases_go_with_their_instance,
    stores_are_protected,
    who_is_taken_out_loses_the_user,
)
from tests.terraform.kept import (
    ACCOUNT,
    ALERT,
    BUNDLE,
    CALLER,
    CUSTOM,
    DEAD,
    INTERNAL,
    INVOKER,
    KEY,
    LOCKED_TOPIC,
    MAY_ACKNOWLEDGE,
    MAY_DECRYPT,
    MAY_PUBLISH,
    NETWORK_RULE,
    NOTIFICATION,
    OPERATOR,
    OURS,
    SIGNER,
    STORAGE_MAY,
    TOPIC,
    bucket,
    database,
    dataset,
    function,
    invoker,
    job,
    project_grant,
    subscription,
)
from tests.terraform.snippets import plan, resource

Case = tuple[Callable[[Plan], Iterator[str]], list[Resource], list[Resource], str]

CASES: list[Case] = [
    # policy, what keeps it, what does not, what it says
    (exposure.nobody_is_everybody, [project_grant("roles/x")], [project_grant("roles/x", "allUsers")], "allUsers"),
    (
        exposure.nobody_is_everybody,
        [],
        [dataset(access=[{"special_group": "allAuthenticatedUsers"}])],
        "allAuthenticated",
    ),
    (exposure.buckets_refuse_the_public, [bucket()], [bucket(public_access_prevention="inherited")], "enforced"),
    (exposure.buckets_refuse_the_public, [], [bucket(uniform_bucket_level_access=False)], "uniform"),
    (exposure.databases_are_private, [database()], [database(ipv4_enabled=True)], "public address"),
    (
        exposure.databases_are_private,
        [],
        [database(authorized_networks=[{"value": "1.2.3.4/32"}])],
        "authorized_networks",
    ),
    (exposure.databases_are_private, [], [database(ssl_mode="ALLOW_UNENCRYPTED_AND_ENCRYPTED")], "ssl_mode"),
    (exposure.databases_are_private, [], [database(private_network=None)], "private_network"),
    (
        exposure.no_port_is_open,
        [resource("google_compute_firewall", source_ranges=["10.0.0.0/8"], **NETWORK_RULE)],
        [resource("google_compute_firewall", source_ranges=["0.0.0.0/0"], **NETWORK_RULE)],
        "internet",
    ),
    (
        exposure.no_port_is_open,
        [resource("google_compute_instance", network_interface=[{"access_config": []}])],
        [resource("google_compute_instance", network_interface=[{"access_config": [{"nat_ip": None}]}])],
        "access_config",
    ),
    (
        exposure.services_ask_who_calls,
        [resource("google_cloud_run_v2_service", invoker_iam_disabled=False)],
        [resource("google_cloud_run_v2_service", invoker_iam_disabled=True)],
        "anybody",
    ),
    (roles.no_basic_roles, [project_grant("roles/bigquery.jobUser")], [project_grant("roles/editor")], "basic role"),
    (
        roles.no_data_of_the_whole_project,
        [
            CUSTOM,
            project_grant("roles/bigquery.jobUser"),
            project_grant("projects/p/roles/lister"),
            project_grant("roles/cloudsql.client", condition='resource.name == "i"'),
            project_grant(
                "roles/run.serviceAgent", "serviceAccount:service-1@serverless-robot-prod.iam.gserviceaccount.com"
            ),
        ],
        [project_grant("roles/storage.objectViewer")],
        "whole project",
    ),
    (
        roles.no_data_of_the_whole_project,
        [],
        [project_grant("roles/iam.serviceAccountUser")],
        "on the account",
    ),
    (
        roles.no_data_of_the_whole_project,
        [],
        [
            resource("google_project_iam_custom_role", role_id="reader", permissions=["storage.objects.get"]),
            project_grant("projects/p/roles/reader"),
        ],
        "storage.objects.get",
    ),
    (
        roles.conditions_narrow,
        [project_grant("roles/cloudsql.client", condition='resource.name == "i"')],
        [project_grant("roles/cloudsql.client", condition='request.time < timestamp("2030-01-01T00:00:00Z")')],
        "does not say",
    ),
    (
        roles.grants_are_added_not_overwritten,
        [project_grant("roles/bigquery.jobUser")],
        [resource("google_project_iam_binding", role="roles/bigquery.jobUser")],
        "google_project_iam_member",
    ),
    (roles.accounts_have_no_keys, [ACCOUNT], [resource("google_service_account_key")], "key file"),
    (
        roles.nothing_runs_as_a_default_account,
        [function()],
        [project_grant("roles/x", "serviceAccount:1-compute@developer.gserviceaccount.com")],
        "1-compute",
    ),
    (roles.nothing_runs_as_a_default_account, [], [function(service_account_email=None)], "default account"),
    (
        roles.nothing_runs_as_a_default_account,
        [resource("google_cloud_run_v2_job", template=[{"template": [{"service_account": "a@b"}]}])],
        [resource("google_cloud_run_v2_job", template=[{"template": [{"service_account": None}]}])],
        "template.template.service_account is missing",
    ),
    (
        roles.nothing_runs_as_a_default_account,
        [resource("google_cloudbuild_trigger", service_account="a@b")],
        [resource("google_cloudbuild_trigger", service_account="")],
        "default account",
    ),
    (
        roles.functions_share_no_account,
        [function()],
        [function(), function("load")],
        "as google_cloudfunctions2_function",
    ),
    (
        encryption.what_takes_a_key_has_one,
        [LOCKED_TOPIC],
        [resource("google_pubsub_topic", kms_key_name=None)],
        "has none",
    ),
    (encryption.what_takes_a_key_has_one, [], [resource("google_storage_bucket", encryption=[])], "has none"),
    (encryption.keys_rotate, [KEY], [resource("google_kms_crypto_key", rotation_period=None)], "rotation_period"),
    (encryption.keys_rotate, [], [resource("google_kms_crypto_key", rotation_period="31536000s")], "90 days"),
    (encryption.agents_may_use_the_keys, [KEY, LOCKED_TOPIC, MAY_DECRYPT], [KEY, LOCKED_TOPIC], "gcp-sa-pubsub"),
    (encryption.agents_may_use_the_keys, [], [LOCKED_TOPIC], "none of this plan"),
    (
        labels.what_takes_labels_is_labelled,
        [resource("google_pubsub_topic", effective_labels=OURS), resource("google_compute_network")],
        [resource("google_pubsub_topic", effective_labels={})],
        "app, environment, managed_by",
    ),
    (
        labels.what_takes_labels_is_labelled,
        [resource("google_sql_database_instance", settings=[{"user_labels": OURS}])],
        [resource("google_sql_database_instance", settings=[{"user_labels": None}])],
        "user_labels",
    ),
    (
        labels.what_takes_labels_is_labelled,
        [],
        [resource("google_pubsub_topic", effective_labels=OURS | {"environment": "dev"})],
        "not prod",
    ),
    (messages.every_topic_is_read, [TOPIC, subscription()], [TOPIC, DEAD, subscription()], "lost"),
    (
        messages.every_subscription_has_a_dead_letter,
        [TOPIC, DEAD, subscription(), subscription(topic=DEAD.at("id"), dead_letter_policy=[])],
        [TOPIC, DEAD, subscription(dead_letter_policy=[])],
        "no dead_letter_policy",
    ),
    (
        messages.dead_letters_may_be_forwarded,
        [TOPIC, DEAD, subscription(), MAY_PUBLISH, MAY_ACKNOWLEDGE],
        [TOPIC, DEAD, subscription(), MAY_PUBLISH],
        "acknowledge",
    ),
    (messages.dead_letters_may_be_forwarded, [], [TOPIC, DEAD, subscription(), MAY_ACKNOWLEDGE], "may not publish"),
    (
        messages.messages_wait_a_week_and_subscriptions_stay,
        [subscription()],
        [subscription(message_retention_duration="600s")],
        "604800s",
    ),
    (messages.messages_wait_a_week_and_subscriptions_stay, [], [subscription(expiration_policy=[])], "deleted"),
    (
        messages.buckets_may_notify,
        [TOPIC, NOTIFICATION, STORAGE_MAY],
        [TOPIC, NOTIFICATION],
        "may not publish to chunks",
    ),
    (
        calls.callers_reach_a_function_and_may_call_it,
        [function(), subscription(), job(), INVOKER],
        [function(), subscription()],
        "no run.invoker",
    ),
    (calls.callers_reach_a_function_and_may_call_it, [], [function("load"), subscription(), INVOKER], "no function"),
    (
        calls.callers_reach_a_function_and_may_call_it,
        [],
        [function(), job(http_target=[{"uri": "https://validate", "oidc_token": []}])],
        "without an oidc_token",
    ),
    (
        calls.what_is_internal_has_its_own_caller_alone,
        [
            INTERNAL,
            subscription(),
            INVOKER,
            function("report", ingress_settings="ALLOW_ALL"),
            invoker("report", OPERATOR),
        ],
        [INTERNAL, subscription(), INVOKER, invoker("validate", OPERATOR)],
        "sluice-operate@p.iam.gserviceaccount.com may call validate",
    ),
    (
        calls.what_is_internal_has_its_own_caller_alone,
        [],
        [
            INTERNAL,
            subscription(),
            INVOKER,
            function("report", ingress_settings="ALLOW_ALL"),
            invoker("report", CALLER),
        ],
        "it is the caller of validate",
    ),
    (
        calls.what_is_internal_has_its_own_caller_alone,
        [function("api", ingress_settings=calls.INTERNAL), invoker("api", "fn@p.iam.gserviceaccount.com")],
        [function("api", ingress_settings=calls.INTERNAL), invoker("api", OPERATOR)],
        "may call api",
    ),
    (calls.tokens_may_be_signed, [ACCOUNT, SIGNER, subscription()], [ACCOUNT, subscription()], "may not make tokens"),
    (calls.every_call_is_tried_again, [subscription(), job()], [subscription(retry_policy=[])], "retry_policy"),
    (calls.every_call_is_tried_again, [], [job(retry_config=[])], "retry_count"),
    (
        calls.deadlines_are_a_ladder,
        [function(), subscription(), job()],
        [function(), subscription(ack_deadline_seconds=540)],
        "540 s",
    ),
    (
        calls.deadlines_are_a_ladder,
        [],
        [function(timeout_seconds=3600), job(attempt_deadline="3660s")],
        "more than Cloud",
    ),
    (calls.deadlines_are_a_ladder, [], [function(), job(attempt_deadline=None)], "waits 180 s"),
    (functions.bundles_are_named_by_their_content, [function(), BUNDLE], [function()], "no object"),
    (
        functions.bundles_are_named_by_their_content,
        [],
        [
            function(object_name="validate.zip"),
            resource("google_storage_bucket_object", bucket="source", name="validate.zip"),
        ],
        "not named by a hash",
    ),
    (warehouse.datasets_forget_what_they_should, [dataset()], [dataset(max_time_travel_hours="168")], "time_travel"),
    (warehouse.datasets_forget_what_they_should, [], [dataset(default_table_expiration_ms=None)], "a day"),
    (
        stores_are_protected,
        [
            resource("google_bigquery_table", deletion_protection=True),
            resource("google_bigquery_table", deletion_protection=False, view=[{"query": "SELECT 1"}]),
        ],
        [resource("google_bigquery_table", deletion_protection=False)],
        "deletion_protection",
    ),
    (
        databases_go_with_their_instance,
        [resource("google_sql_database", deletion_policy="ABANDON")],
        [resource("google_sql_database", deletion_policy="DELETE")],
        "must be ABANDON",
    ),
    (
        who_is_taken_out_loses_the_user,
        [
            resource("google_sql_user", deletion_policy="DELETE"),
            resource("google_sql_user", deletion_policy="ABANDON", database_roles=["cloudsqlsuperuser"]),
        ],
        [resource("google_sql_user", deletion_policy="ABANDON")],
        "the user stays",
    ),
    (alerts_use_metrics_that_are_there, [ALERT, resource("google_logging_metric", name="errors")], [ALERT], "not made"),
]


@pytest.mark.parametrize(("policy", "kept", "broken", "says"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_a_policy_passes_what_keeps_it_and_names_what_does_not(
    policy: Callable[[Plan], Iterator[str]], kept: list[Resource], broken: list[Resource], says: str
) -> None:
    assert list(policy(plan(*kept))) == []
    found = list(policy(plan(*broken)))
    assert len(found) == 1, found
    assert says in found[0]


def test_every_policy_of_a_plan_has_a_case() -> None:
    assert {policy for policy, *_ in CASES} == set(OF_THE_PLAN)


def test_dev_may_be_torn_down() -> None:
    assert list(stores_are_protected(plan(resource("google_bigquery_table"), environment="dev"))) == []
