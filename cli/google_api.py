"""Google's APIs by plain REST with the operator's own credentials, for what the client libraries here do not cover.

Reads and `jobs:run` only. What a call needs and how it answers is Google's documented REST reference of each service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import google.auth
from google.auth import exceptions as gae
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import id_token
from requests import exceptions as rx

from shared.errors import ConfigError, PipelineError

SCOPES = ("openid", "https://www.googleapis.com/auth/userinfo.email", "https://www.googleapis.com/auth/cloud-platform")
CALL_SECONDS = 30.0
HOSTS = {
    "bigquery": "https://bigquery.googleapis.com",
    "cloudfunctions": "https://cloudfunctions.googleapis.com",
    "cloudkms": "https://cloudkms.googleapis.com",
    "cloudresourcemanager": "https://cloudresourcemanager.googleapis.com",
    "cloudscheduler": "https://cloudscheduler.googleapis.com",
    "iam": "https://iam.googleapis.com",
    "monitoring": "https://monitoring.googleapis.com",
    "oauth2": "https://oauth2.googleapis.com",
    "pubsub": "https://pubsub.googleapis.com",
    "secretmanager": "https://secretmanager.googleapis.com",
    "serviceusage": "https://serviceusage.googleapis.com",
    "storage": "https://storage.googleapis.com",
}
"""Where each API answers."""
LOG_IN = "run `gcloud auth application-default login`, or give GOOGLE_APPLICATION_CREDENTIALS"


class ApiRefused(PipelineError):
    """A call was answered with an error; `status` is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GoogleApi:
    """Calls as one account. Raises ConfigError without credentials, ApiRefused where a call is refused."""

    def __init__(self, credentials: Any = None, hosts: Mapping[str, str] = HOSTS) -> None:
        self._given = credentials
        self._hosts = hosts

    @cached_property
    def credentials(self) -> Any:
        """The application default credentials, or those that were given."""
        if self._given is not None:
            return self._given
        try:
            found, _ = google.auth.default(scopes=SCOPES)  # type: ignore[no-untyped-call]
        except gae.GoogleAuthError as exc:
            raise ConfigError(f"there are no application default credentials: {LOG_IN}") from exc
        return found

    @cached_property
    def account(self) -> str:
        """The e-mail address of the account; empty where its token does not tell."""
        self.refresh()  # which also tells the address of a machine's own account
        if address := getattr(self.credentials, "service_account_email", ""):
            return str(address)
        try:
            told = self.get("oauth2", "tokeninfo", access_token=self.credentials.token)
        except ApiRefused:
            return ""
        return str(told.get("email", ""))

    def refresh(self) -> None:
        """Have a valid access token. Raises ConfigError where the credentials have expired or were revoked."""
        try:
            if not self.credentials.valid:
                self.credentials.refresh(Request())
        except gae.GoogleAuthError as exc:
            raise ConfigError(f"the credentials are not accepted ({type(exc).__name__}): {LOG_IN}") from exc

    def identity_token(self, audience: str) -> str:
        """A token that Cloud Run takes for this URL; empty where the credentials are a person's, which give none.

        A person who impersonates a service account has its credentials.
        """
        try:
            return str(id_token.fetch_id_token(Request(), audience))  # type: ignore[no-untyped-call]
        except gae.GoogleAuthError:
            return ""

    def get(self, service: str, path: str, **params: str) -> dict[str, Any]:
        """One GET; the JSON of its answer."""
        return self._call("GET", service, path, params=params)

    def post(self, service: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One POST; the JSON of its answer."""
        return self._call("POST", service, path, json=dict(body or {}))

    def pages(self, service: str, path: str, field: str, **params: str) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page."""
        token = ""
        while True:
            answer = self.get(service, path, **params, **({"pageToken": token} if token else {}))
            yield from answer.get(field, [])
            token = answer.get("nextPageToken", "")
            if not token:
                return

    @cached_property
    def _session(self) -> AuthorizedSession:
        return AuthorizedSession(self.credentials)  # type: ignore[no-untyped-call]

    def _call(self, method: str, service: str, path: str, **more: Any) -> dict[str, Any]:
        url = f"{self._hosts[service]}/{path}"
        try:
            answer = self._session.request(method, url, timeout=CALL_SECONDS, **more)  # type: ignore[no-untyped-call]
        except gae.GoogleAuthError as exc:
            raise ConfigError(f"the credentials are not accepted ({type(exc).__name__}): {LOG_IN}") from exc
        except rx.RequestException as exc:
            raise ApiRefused(0, f"{service} does not answer ({type(exc).__name__})") from exc
        try:
            body = answer.json()
        except ValueError:
            body = {}
        told: dict[str, Any] = body if isinstance(body, dict) else {}
        if answer.status_code >= 400:
            error = told.get("error")
            message = error.get("message", "") if isinstance(error, dict) else str(error or "")
            raise ApiRefused(answer.status_code, f"{service} answers {answer.status_code}: {message or path}")
        return told
