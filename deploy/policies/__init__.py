"""What every plan must keep. A policy is a pure function of a plan that yields a sentence for each thing against it.

The plan is one against a settled state (deploy/settled.py): a first plan does not know what refers to what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deploy.planned import Plan
from deploy.policies import (
    access,
    alerts,
    calls,
    capacity,
    encryption,
    exposure,
    functions,
    labels,
    messages,
    protection,
    roles,
    warehouse,
)
from deploy.repository import Repository

OF_THE_PLAN: tuple[Callable[[Plan], Iterator[str]], ...] = (
    exposure.nobody_is_everybody,
    exposure.buckets_refuse_the_public,
    exposure.databases_are_private,
    exposure.no_port_is_open,
    exposure.services_ask_who_calls,
    roles.no_basic_roles,
    roles.no_data_of_the_whole_project,
    roles.conditions_narrow,
    roles.grants_are_added_not_overwritten,
    roles.accounts_have_no_keys,
    roles.nothing_runs_as_a_default_account,
    roles.functions_share_no_account,
    encryption.what_takes_a_key_has_one,
    encryption.keys_rotate,
    encryption.agents_may_use_the_keys,
    labels.what_takes_labels_is_labelled,
    messages.every_topic_is_read,
    messages.every_subscription_has_a_dead_letter,
    messages.dead_letters_may_be_forwarded,
    messages.messages_wait_a_week_and_subscriptions_stay,
    messages.buckets_may_notify,
    calls.callers_reach_a_function_and_may_call_it,
    calls.what_is_internal_has_its_own_caller_alone,
    calls.tokens_may_be_signed,
    calls.every_call_is_tried_again,
    calls.deadlines_are_a_ladder,
    functions.bundles_are_named_by_their_content,
    warehouse.datasets_forget_what_they_should,
    protection.stores_are_protected,
    protection.databases_go_with_their_instance,
    protection.who_is_taken_out_loses_the_user,
    alerts.alerts_use_metrics_that_are_there,
)

OF_THE_REPOSITORY: tuple[Callable[[Plan, Repository], Iterator[str]], ...] = (
    functions.the_table_is_what_is_planned,
    functions.ingress_follows_the_triggers,
    functions.triggers_are_what_calls,
    functions.secrets_are_those_of_the_table,
    access.functions_may_do_what_the_table_says,
    access.database_users_are_the_clients,
    warehouse.tables_are_those_of_the_folders,
    alerts.alerts_link_to_the_runbook,
    capacity.connections_suffice,
)


def findings(plan: Plan, repository: Repository) -> dict[str, list[str]]:
    """Every policy by its name, with what is against it; nothing where it is kept."""
    own = {policy.__name__: list(policy(plan)) for policy in OF_THE_PLAN}
    return own | {policy.__name__: list(policy(plan, repository)) for policy in OF_THE_REPOSITORY}
