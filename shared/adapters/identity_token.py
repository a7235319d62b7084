"""Identity tokens of the account that a function runs as, for an API that Cloud Run guards by IAM.

https://cloud.google.com/run/docs/authenticating/service-to-service
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import httpx

from shared.errors import ConfigError, DependencyUnavailable


class IdentityToken(httpx.Auth):
    """Puts a token for one audience on every request; it is fetched at the first and again when it is over.

    Raises ConfigError where nothing here has an identity, DependencyUnavailable where the metadata server is silent.
    """

    def __init__(self, audience: str) -> None:
        self._audience = audience
        self._credentials: Any = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        yield request

    def _token(self) -> str:
        """Imported here: only an installation with a guarded API needs it."""
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
        from google.auth.transport.requests import Request
        from google.oauth2 import id_token

        try:
            if self._credentials is None:
                self._credentials = id_token.fetch_id_token_credentials(  # type: ignore[no-untyped-call]
                    self._audience, Request()
                )
            if not self._credentials.valid:
                self._credentials.refresh(Request())
        except DefaultCredentialsError as exc:
            raise ConfigError("PRODUCT_API_AUDIENCE is set, but there is no account here to send a token of") from exc
        except GoogleAuthError as exc:
            raise DependencyUnavailable("the metadata server gives no identity token") from exc
        return str(self._credentials.token)
