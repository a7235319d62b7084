"""The steps that a local cloud has none of, and the jobs, against answers as Google's reference pages document them.

They show that the code reads the documented shapes. Only a real project can show that Google answers so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import google.auth
import pytest
from google.auth import exceptions as gae

from cli.cloud import Cloud
from cli.doctor.access import APIS, KEY_USER, PUBLISHER, SIGNER, SUBSCRIBER
from cli.doctor.checkup import STEPS
from cli.doctor.installation import RAW_COPY, Installation
from cli.doctor.steps import Result, run_steps
from cli.google_api import ApiRefused, GoogleApi
from cli.jobs import CloudJobs, JobFailed, NoSuchJob
from cli.orders import operator
from local.table import read_table
from shared.errors import ConfigError
from tests.integration.doctor.google import ACCOUNT, Answer, Google
from tests.integration.pipeline.harness import Pipeline

PROJECT, REGION = "sluice-local", "europe-west1"
NUMBER = "123456789"
PUBSUB_AGENT = f"serviceAccount:service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
STORAGE_AGENT = f"serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
JOBS = f"v1/projects/{PROJECT}/locations/{REGION}/jobs"
FUNCTIONS = f"v2/projects/{PROJECT}/locations/{REGION}/functions"


@pytest.fixture
def patient(running: Pipeline, documented: Google) -> Iterator[Installation]:
    """The local cloud, as a deployed installation whose other APIs the documented server stands for."""
    assert running.run.cloud.endpoints
    host = running.run.cloud.endpoints.functions
    urls = {name: f"{host}/{name}" for name in table() if name != "product_api"}
    of_google = {"REGION": REGION, "FUNCTIONS_URL": "", "SCHEDULER_URL": "", "FUNCTION_URLS": json.dumps(urls)}
    made = Installation({**os.environ, **of_google}, documented.api())
    yield made
    made.close()


def table() -> list[str]:
    return [function.name for function in read_table().functions]


def look(patient: Installation, name: str) -> Result:
    """One step by itself."""
    (result,) = run_steps([step for step in STEPS if step.name == name], patient)
    return result


def policy(role: str, member: str) -> Answer:
    return {"version": 1, "etag": "BwU=", "bindings": [{"role": role, "members": ["user:a@example.org", member]}]}


def test_who_you_are_is_what_the_token_says(patient: Installation) -> None:
    assert look(patient, "credentials").found == f"you are {ACCOUNT}"


def test_an_order_is_recorded_under_that_account(documented: Google) -> None:
    cloud = Cloud(None, None, None, None, documented.api())  # type: ignore[arg-type]
    assert operator(cloud) == ACCOUNT


def test_without_credentials_it_says_how_to_log_in(patient: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: Any) -> None:
        raise gae.DefaultCredentialsError("none")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(google.auth, "default", none)
    patient.api = GoogleApi()
    told = look(patient, "credentials")
    assert (told.verdict, "gcloud auth application-default login" in told.found) == ("failed", True)


def services(*names: str) -> list[Answer]:
    return [
        {"name": f"projects/{NUMBER}/services/{name}", "config": {"name": name, "title": name}, "state": "ENABLED"}
        for name in names
    ]


def test_apis_that_are_off_are_named_over_all_pages(patient: Installation, documented: Google) -> None:
    on = [f"{name}.googleapis.com" for name in APIS]
    path = f"GET v1/projects/{PROJECT}/services"
    documented.answers[path] = {"services": services(*on[:5]), "nextPageToken": "two"}
    documented.answers[f"{path}?two"] = {"services": services(*on[5:])}
    assert look(patient, "apis").verdict == "ok"
    documented.answers[f"{path}?two"] = {"services": services(*on[5:-1])}
    told = look(patient, "apis")
    assert told.found == "storage.googleapis.com is off"
    assert "gcloud services enable storage.googleapis.com" in told.advice


def grant_all(patient: Installation, documented: Google) -> None:
    documented.answers[f"GET v3/projects/{PROJECT}"] = {"name": f"projects/{NUMBER}", "projectId": PROJECT}
    documented.answers[f"POST v3/projects/{PROJECT}:getIamPolicy"] = policy("roles/viewer", "user:b@example.org")
    for delivery in patient.deliveries:
        dead, name = patient.topic(f"{delivery}-dead"), patient.subscription(delivery)
        documented.answers[f"GET v1/{dead}:getIamPolicy"] = policy(PUBLISHER, PUBSUB_AGENT)
        documented.answers[f"GET v1/{name}:getIamPolicy"] = policy(SUBSCRIBER, PUBSUB_AGENT)
    documented.answers[f"GET v1/{patient.topic('uploads')}:getIamPolicy"] = policy(PUBLISHER, STORAGE_AGENT)


def test_a_grant_that_an_agent_lacks_is_named(patient: Installation, documented: Google) -> None:
    grant_all(patient, documented)
    assert look(patient, "agents").found == f"{2 * len(patient.deliveries) + 1} grants"
    dead = patient.topic("notify-alerts-dead")
    documented.answers[f"GET v1/{dead}:getIamPolicy"] = {"etag": "ACAB"}  # a policy without bindings has no such field
    told = look(patient, "agents")
    assert told.found == f"{PUBSUB_AGENT.partition(':')[2]} has no {PUBLISHER} on {dead}"
    assert "terraform apply" in told.advice


def test_a_grant_on_the_whole_project_counts(patient: Installation, documented: Google) -> None:
    grant_all(patient, documented)
    del documented.answers[f"GET v1/{patient.topic('uploads')}:getIamPolicy"]
    assert look(patient, "agents").verdict == "failed"
    documented.answers[f"POST v3/projects/{PROJECT}:getIamPolicy"] = policy(PUBLISHER, STORAGE_AGENT)
    assert look(patient, "agents").verdict == "ok"


def test_keys_and_signers_are_asked_for_where_the_resources_name_them(documented: Google) -> None:
    from cli.doctor.access import Grant, _holds, _policy

    key = f"projects/{PROJECT}/locations/{REGION}/keyRings/sluice/cryptoKeys/pubsub"
    documented.answers[f"GET v1/{key}:getIamPolicy"] = policy(KEY_USER, PUBSUB_AGENT)
    account = f"projects/{PROJECT}/serviceAccounts/push@{PROJECT}.iam.gserviceaccount.com"
    documented.answers[f"POST v1/{account}:getIamPolicy"] = policy(SIGNER, PUBSUB_AGENT)
    for service, path, role in (("cloudkms", key, KEY_USER), ("iam", account, SIGNER)):
        grant = Grant((service, f"v1/{path}"), path, role, PUBSUB_AGENT)
        assert _holds(grant, _policy(documented.api(), grant.policy))


def test_a_policy_that_may_not_be_read_is_a_failure_that_names_the_roles(
    patient: Installation, documented: Google
) -> None:
    grant_all(patient, documented)
    refused: Answer = {"error": {"code": 403, "message": "denied", "status": "PERMISSION_DENIED"}}
    documented.answers[f"POST v3/projects/{PROJECT}:getIamPolicy"] = refused
    assert "docs/operating.md#roles" in look(patient, "agents").found


def test_a_push_without_a_signer_is_found(patient: Installation) -> None:
    told = look(patient, "subscriptions")
    assert told.verdict == "failed"
    assert "no OIDC account signs its pushes" in told.found
    assert look(patient, "deadletters").found.startswith("topic raw-transactions-dead has no subscription")


def functions(patient: Installation) -> list[Answer]:
    return [
        {
            "name": f"projects/{PROJECT}/locations/{REGION}/functions/{one.name.replace('_', '-')}", "state": "ACTIVE",
            "environment": "GEN_2", "serviceConfig": {"uri": patient.function_urls[one.name]},
        }
        for one in patient.functions
    ]  # fmt: skip


def test_functions_are_judged_by_their_state_and_their_address(
    patient: Installation, documented: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GoogleApi, "identity_token", lambda *_: "token")  # Google alone can make one
    listed = functions(patient)
    documented.answers[f"GET {FUNCTIONS}"] = {"functions": listed}
    told = look(patient, "functions")  # the local host answers in the place of Cloud Run
    assert (told.verdict, told.found) == ("ok", f"{len(listed)} are active, 3 were asked and answer")
    listed[0] |= {"state": "FAILED", "stateMessages": [{"severity": "ERROR", "type": "X", "message": "no image"}]}
    listed[1]["serviceConfig"] = {"uri": "https://other.run.app"}
    told = look(patient, "functions")
    assert told.found == "receive_upload is FAILED no image; validate answers at another URL than FUNCTION_URLS says"
    documented.answers[f"GET {FUNCTIONS}"] = {"functions": listed[2:]}
    assert "validate is not deployed" in look(patient, "functions").found


def test_the_simulated_api_which_is_internal_is_not_asked(
    patient: Installation, documented: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GoogleApi, "identity_token", lambda *_: "token")
    patient.function_urls["product_api"] = "http://127.0.0.1:1"
    assert "product_api" in [one.name for one in patient.functions]
    documented.answers[f"GET {FUNCTIONS}"] = {"functions": functions(patient)}
    assert look(patient, "functions").found.endswith("3 were asked and answer")


def job(name: str, schedule: str, **more: Any) -> Answer:
    return {
        "name": f"projects/{PROJECT}/locations/{REGION}/jobs/{name}", "schedule": schedule, "timeZone": "Etc/UTC",
        "state": "ENABLED", "lastAttemptTime": "2026-11-25T03:00:00.1Z", "status": {}, **more,
    }  # fmt: skip


def test_jobs_are_judged_by_state_schedule_and_last_attempt(patient: Installation, documented: Google) -> None:
    jobs = [job(one.name.replace("_", "-"), one.schedules[0]) for one in patient.functions if one.schedules]
    documented.answers[f"GET {JOBS}"] = {"jobs": jobs}
    assert look(patient, "scheduler").found == f"{len(jobs)} jobs, no attempt failed"
    jobs[0] |= {"state": "PAUSED", "status": {"code": 13}}
    jobs[1]["schedule"] = "0 0 * * *"
    told = look(patient, "scheduler")
    assert "job enrich is PAUSED" in told.found
    assert "the last attempt of enrich failed (code 13)" in told.found
    assert "job build-marts runs at 0 0 * * *, not at 20 * * * *" in told.found
    assert f"gcloud scheduler jobs resume enrich --location={REGION}" in told.advice


def test_a_job_is_run_and_waited_for_until_an_attempt_began(documented: Google) -> None:
    jobs = CloudJobs(documented.api(), PROJECT, REGION, poll_seconds=0)
    before, after = job("build-marts", "x"), job("build-marts", "x", lastAttemptTime="2026-11-25T04:00:00Z")
    documented.answers |= {
        f"GET {JOBS}": {"jobs": [before]}, f"POST {JOBS}/build-marts:run": before,
        f"GET {JOBS}/build-marts": [before, before, after],
    }  # fmt: skip
    assert jobs.run("build_marts") == {"job": "build-marts", "at": "2026-11-25T04:00:00Z", "status": "OK"}
    assert documented.asked.count(f"GET {JOBS}/build-marts") == 3
    failed = job("build-marts", "x", lastAttemptTime="2026-11-25T05:00:00Z", status={"code": 4})
    documented.answers[f"GET {JOBS}/build-marts"] = failed
    with pytest.raises(JobFailed, match="build_marts failed: code 4"):
        jobs.run("build_marts")
    with pytest.raises(NoSuchJob, match="known are build_marts"):
        jobs.run("fly")


def test_a_secret_needs_the_version_that_a_function_is_given(patient: Installation, documented: Google) -> None:
    path = f"v1/projects/{PROJECT}/secrets/ALERT_WEBHOOK_URL/versions"
    listed = functions(patient)
    documented.answers[f"GET {FUNCTIONS}"] = {"functions": listed}
    assert look(patient, "secrets").found == "secret ALERT_WEBHOOK_URL is not there"
    documented.answers[f"GET {path}"] = {"totalSize": 0}
    assert look(patient, "secrets").found == "1 secrets; no function is given ALERT_WEBHOOK_URL"
    listed[0]["serviceConfig"]["secretEnvironmentVariables"] = [
        {"key": "ALERT_WEBHOOK_URL", "projectId": PROJECT, "secret": "ALERT_WEBHOOK_URL", "version": "2"}
    ]
    documented.answers[f"GET {path}"] = {"versions": [{"name": f"{path}/1", "state": "ENABLED"}], "totalSize": 1}
    told = look(patient, "secrets")
    assert told.found == "version 2 of secret ALERT_WEBHOOK_URL, which a function is given, is not enabled"
    assert "gcloud secrets versions enable 2" in told.advice
    documented.answers[f"GET {path}"] = {"versions": [{"name": f"{path}/2", "state": "ENABLED"}], "totalSize": 1}
    assert look(patient, "secrets").verdict == "ok"


def test_what_waits_is_read_from_monitoring(patient: Installation, documented: Google) -> None:
    def series(name: str, value: int) -> Answer:
        resource = {"type": "pubsub_subscription", "labels": {"project_id": PROJECT, "subscription_id": name}}
        point = {"interval": {"endTime": "2026-11-25T03:00:00Z"}, "value": {"int64Value": str(value)}}
        return {"metric": {"type": "x"}, "resource": resource, "points": [point], "valueType": "INT64"}

    path = f"GET v3/projects/{PROJECT}/timeSeries"
    documented.answers[path] = [{"timeSeries": [series("validate-chunks", 3)]}, {}]
    assert look(patient, "backlog").found == "3 messages wait, no dead letters"
    documented.answers[path] = [
        {"timeSeries": [series("validate-chunks-dead", 2)]}, {"timeSeries": [series("validate-chunks", 900)]},
    ]  # fmt: skip
    told = look(patient, "backlog")
    assert told.found == "2 dead letters in validate-chunks-dead; a message of validate-chunks waits for 900 s"
    documented.answers[path] = [{"timeSeries": []}, {"timeSeries": [series(RAW_COPY, 310)]}]
    assert look(patient, "backlog").verdict == "ok"
    documented.answers[path] = [{"timeSeries": []}, {"timeSeries": [series(RAW_COPY, 1000)]}]
    assert look(patient, "backlog").found == "a message of raw-transactions waits for 1,000 s"


def test_an_error_without_a_body_of_googles_is_told_too(documented: Google) -> None:
    documented.answers["GET v1/x"] = {"error": {"code": 500, "message": ""}}
    with pytest.raises(ApiRefused, match=r"pubsub answers 500: v1/x"):
        documented.api().get("pubsub", "v1/x")


def test_addresses_that_are_no_map_are_refused() -> None:
    for text in ("", "[]", "no"):
        with pytest.raises(ConfigError, match="FUNCTION_URLS"):
            _ = Installation({"FUNCTION_URLS": text}, None).function_urls
