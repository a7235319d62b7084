"""Who we are, what is switched on, and what Google's own accounts may: settings, credentials, APIs, service agents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.doctor.installation import TERRAFORM, Installation
from cli.doctor.steps import Fault, Found, NotHere
from cli.google_api import ApiRefused, GoogleApi

APIS = (
    "bigquery", "cloudfunctions", "cloudkms", "cloudresourcemanager", "cloudscheduler", "iam", "logging", "monitoring",
    "pubsub", "run", "secretmanager", "serviceusage", "sqladmin", "storage",
)  # fmt: skip
"""The services that the running pipeline and this doctor call; Terraform switches on more."""
PUBLISHER = "roles/pubsub.publisher"
SUBSCRIBER = "roles/pubsub.subscriber"
SIGNER = "roles/iam.serviceAccountTokenCreator"
RAW_WRITER = ("roles/storage.objectCreator", "roles/storage.legacyBucketReader")
"""What Pub/Sub asks for on a bucket to which a subscription writes:
https://cloud.google.com/pubsub/docs/create-cloudstorage-subscription."""
KEY_USER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
NOT_FOUND = 404


def check_settings(patient: Installation) -> Found:
    """Every variable that the functions need is there, and those by which they are found."""
    settings = patient.settings
    problems = [Fault(told, "take the file anew: `terraform output -json environment`") for told in _missing(patient)]
    kind = f"project {settings.project}" if patient.api else f"the local cloud, project {settings.project}"
    return Found(f"{kind}, {len(patient.functions)} functions" if not problems else "", problems)


def _missing(patient: Installation) -> Iterator[str]:
    environ = patient.environ
    if not environ.get("DATABASE_URL") and not environ.get("CLOUDSQL_INSTANCE"):
        yield "neither CLOUDSQL_INSTANCE nor DATABASE_URL is set"
    if patient.api and not environ.get("REGION"):
        yield "REGION is not set"
    unknown = {function.name for function in patient.functions} - set(patient.function_urls)
    if unknown:
        yield f"FUNCTION_URLS has no {', '.join(sorted(unknown))}"


def check_credentials(patient: Installation) -> Found:
    """Google takes our credentials, and says who we are."""
    if patient.api is None:
        raise NotHere("the local cloud needs none")
    patient.api.refresh()
    return Found(f"you are {patient.api.account or 'an account whose token names no e-mail address'}")


def check_apis(patient: Installation) -> Found:
    """The services are switched on (Service Usage API)."""
    listed = patient.cloud.pages(
        "serviceusage", f"v1/projects/{patient.settings.project}/services", "services", filter="state:ENABLED",
        pageSize="200",
    )  # fmt: skip
    on = {one["config"]["name"] for one in listed}
    off = [f"{name}.googleapis.com" for name in APIS if f"{name}.googleapis.com" not in on]
    advice = f"gcloud services enable {' '.join(off)} --project={patient.settings.project}, or {TERRAFORM}"
    return Found(f"{len(APIS)} are on", [Fault(f"{name} is off", advice) for name in off])


@dataclass(frozen=True)
class Grant:
    """A role that an agent must have on a resource. `policy` is where its IAM policy is read (service, path)."""

    policy: tuple[str, str]
    resource: str
    role: str
    agent: str


def check_agents(patient: Installation) -> Found:
    """Google's service agents may do what deliveries, notifications and encryption need; by the IAM policies."""
    api = patient.cloud
    number = patient.project_number
    pubsub = f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    storage = f"serviceAccount:service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    grants = [*_deliveries(patient, pubsub), *_notifications(patient, storage), *_keys(patient, pubsub, storage)]
    everywhere = _policy(api, ("cloudresourcemanager", f"v3/projects/{patient.settings.project}"))
    faults = [_fault(grant) for grant in grants if not _holds(grant, everywhere, _policy(api, grant.policy))]
    return Found(f"{len(grants)} grants", faults)


def _deliveries(patient: Installation, agent: str) -> Iterator[Grant]:
    for name in patient.deliveries:
        dead, subscription = patient.topic(f"{name}-dead"), patient.subscription(name)
        yield Grant(("pubsub", f"v1/{dead}"), dead, PUBLISHER, agent)
        yield Grant(("pubsub", f"v1/{subscription}"), subscription, SUBSCRIBER, agent)
    listed = list(patient.subscriber.list_subscriptions(project=f"projects/{patient.settings.project}"))
    for bucket in sorted({one.cloud_storage_config.bucket for one in listed} - {""}):
        yield from (Grant(("storage", f"storage/v1/b/{bucket}"), bucket, role, agent) for role in RAW_WRITER)
    for account in sorted({one.push_config.oidc_token.service_account_email for one in listed} - {""}):
        name = f"projects/{patient.settings.project}/serviceAccounts/{account}"
        yield Grant(("iam", f"v1/{name}"), name, SIGNER, agent)


def _notifications(patient: Installation, agent: str) -> Iterator[Grant]:
    uploads = patient.topic("uploads")
    yield Grant(("pubsub", f"v1/{uploads}"), uploads, PUBLISHER, agent)


def _keys(patient: Installation, pubsub: str, storage: str) -> Iterator[Grant]:
    """The keys are those that the resources themselves name."""
    buckets = (patient.settings.landing_bucket, patient.settings.lake_bucket, patient.settings.quarantine_bucket)
    of_buckets = {patient.storage.get_bucket(name).default_kms_key_name for name in buckets}
    listed = patient.publisher.list_topics(project=f"projects/{patient.settings.project}")
    of_topics = {topic.kms_key_name for topic in listed}
    for keys, agent in ((of_buckets, storage), (of_topics, pubsub)):
        for key in sorted(filter(None, keys)):
            yield Grant(("cloudkms", f"v1/{key}"), key, KEY_USER, agent)


def _policy(api: GoogleApi, place: tuple[str, str]) -> list[dict[str, Any]]:
    """The bindings of a resource; none where it is not there, for another step looks for that."""
    service, path = place
    read = api.post if service in ("cloudresourcemanager", "iam") else api.get
    try:
        policy = f"{path}/iam" if service == "storage" else f"{path}:getIamPolicy"
        found: list[dict[str, Any]] = read(service, policy).get("bindings", [])
    except ApiRefused as exc:
        if exc.status != NOT_FOUND:
            raise
        return []
    return found


def _holds(grant: Grant, *policies: Iterable[dict[str, Any]]) -> bool:
    return any(
        one["role"] == grant.role and grant.agent in one.get("members", []) for policy in policies for one in policy
    )


def _fault(grant: Grant) -> Fault:
    agent = grant.agent.partition(":")[2]
    return Fault(f"{agent} has no {grant.role} on {grant.resource}", TERRAFORM)
