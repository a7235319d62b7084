"""What does the work: functions, scheduled jobs, secrets."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx
import yaml

from cli.doctor.installation import TERRAFORM, Installation
from cli.doctor.steps import Fault, Found
from cli.google_api import ApiRefused
from cli.jobs import ENABLED
from local.table import TABLE
from shared.adapters.tls import certificates

CALL_SECONDS = 30.0
NOTHING = "robots.txt"
"""A path that functions-framework answers with 404 by itself, without calling the function."""
OF_THE_FRAMEWORK = "not found"
NO_FUNCTION = "no function at this path"
"""What the local host says where it has no such function (local/host.py)."""


def check_functions(patient: Installation) -> Found:
    """Every function is installed and answers; no call does any work."""
    faults = _deployed(patient) if patient.api else []
    ours = [function for function in patient.functions if not function.development_only]
    asked = [function.name for function in ours if function.http or not patient.api]
    answered = 0
    with httpx.Client(timeout=CALL_SECONDS, verify=certificates()) as client:
        for name in [] if faults else asked:
            url = patient.function_urls[name]
            token = patient.api.identity_token(url) if patient.api else ""
            if patient.api and not token:
                continue
            answered += 1
            if told := _answer(client, url, token):
                faults.append(Fault(f"{name} {told}", _look(patient, name)))
    active = f"{len(patient.functions)} are active, " if patient.api else ""
    return Found(f"{active}{answered} were asked and answer", faults)


def _deployed(patient: Installation) -> list[Fault]:
    """By the Cloud Functions API: those with internal ingress cannot be asked from here."""
    parent = f"v2/projects/{patient.settings.project}/locations/{patient.region}/functions"
    listed = patient.cloud.pages("cloudfunctions", parent, "functions", pageSize="100")
    found = {one["name"].rpartition("/")[2].replace("-", "_"): one for one in listed}
    faults = []
    for function in patient.functions:
        one = found.get(function.name)
        if one is None:
            faults.append(Fault(f"{function.name} is not deployed", TERRAFORM))
        elif one.get("state") != "ACTIVE":
            told = "; ".join(message.get("message", "") for message in one.get("stateMessages", []))
            faults.append(Fault(f"{function.name} is {one.get('state')} {told}".rstrip(), TERRAFORM))
        elif one.get("serviceConfig", {}).get("uri", "") != patient.function_urls.get(function.name):
            faults.append(Fault(f"{function.name} answers at another URL than FUNCTION_URLS says", TERRAFORM))
    return faults


def _answer(client: httpx.Client, url: str, token: str) -> str:
    """What is wrong with the answer; empty where the function is loaded and waits for calls."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = client.get(f"{url.rstrip('/')}/{NOTHING}", headers=headers)
    except httpx.HTTPError as exc:
        return f"does not answer ({type(exc).__name__})"
    if answer.status_code == HTTPStatus.NOT_FOUND and NO_FUNCTION not in answer.text:
        return "" if OF_THE_FRAMEWORK in answer.text.lower() else "answers 404: nothing is deployed there"
    if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"answers {answer.status_code}: your account lacks roles/run.invoker on it"
    return f"answers {answer.status_code}" if NO_FUNCTION not in answer.text else "is not on the host"


def _look(patient: Installation, name: str) -> str:
    log = (
        f"gcloud functions logs read {name.replace('_', '-')}"
        if patient.api
        else "look at logs/functions.log of the home"
    )
    return f"{log}; runbook: a-function-keeps-failing"


def check_scheduler(patient: Installation) -> Found:
    """Each scheduled function has its job, enabled, in the time of functions.yaml, and its last attempt succeeded."""
    found = {job.function: job for job in patient.jobs.list()}
    faults = []
    scheduled = [function for function in patient.functions if function.schedules]
    for function in scheduled:
        job = found.get(function.name)
        if job is None:
            faults.append(Fault(f"{function.name} has no job: it is never run", patient.made_by))
            continue
        if job.state != ENABLED:
            faults.append(Fault(f"job {job.name} is {job.state}", _resume(patient, job.name)))
        if job.schedule != ", ".join(function.schedules):
            told = f"job {job.name} runs at {job.schedule}, not at {', '.join(function.schedules)}"
            faults.append(Fault(told, patient.made_by))
        if job.failed:
            told = f"the last attempt of {job.name} failed ({job.failed[:120]})"
            faults.append(Fault(told, f"sluice trigger {function.name}; runbook: a-function-keeps-failing"))
    return Found(f"{len(scheduled)} jobs, no attempt failed", faults)


def _resume(patient: Installation, name: str) -> str:
    if patient.api:
        return f"gcloud scheduler jobs resume {name} --location={patient.region}"
    return f"curl -X POST $SCHEDULER_URL/v1/jobs/{name}:resume"


def check_secrets(patient: Installation) -> Found:
    """Each secret of functions.yaml is there, and each version that a function is given is enabled.

    A secret that no function is given is no fault: an installation may do without (ALERT_WEBHOOK_URL).
    """
    api = patient.cloud
    table: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["functions"]
    installed = {function.name for function in patient.functions}
    names = sorted({secret for name, row in table.items() if name in installed for secret in row["secrets"]})
    given = _given_secrets(patient)
    faults, unused = [], [name for name in names if name not in given]
    for name in names:
        try:
            path = f"v1/projects/{patient.settings.project}/secrets/{name}/versions"
            versions = {
                one["name"].rpartition("/")[2]
                for one in api.pages("secretmanager", path, "versions", filter="state:ENABLED")
            }
        except ApiRefused as exc:
            if exc.status != HTTPStatus.NOT_FOUND:
                raise
            faults.append(Fault(f"secret {name} is not there", TERRAFORM))
            continue
        for version in sorted(given.get(name, ())):
            if version not in versions and not (version == "latest" and versions):
                told = f"version {version} of secret {name}, which a function is given, is not enabled"
                faults.append(Fault(told, f"gcloud secrets versions enable {version} --secret={name}, or add one"))
    told = f"{len(names)} secrets" + (f"; no function is given {', '.join(unused)}" if unused else "")
    return Found(told, faults)


def _given_secrets(patient: Installation) -> dict[str, set[str]]:
    """The versions of secrets that the deployed functions are given."""
    parent = f"v2/projects/{patient.settings.project}/locations/{patient.region}/functions"
    found: dict[str, set[str]] = {}
    for function in patient.cloud.pages("cloudfunctions", parent, "functions", pageSize="100"):
        for one in function.get("serviceConfig", {}).get("secretEnvironmentVariables", []):
            found.setdefault(one["secret"], set()).add(one.get("version", "latest"))
    return found
