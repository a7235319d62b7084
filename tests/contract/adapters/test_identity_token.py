"""The identity token, from a metadata server as Google's library asks it, to an API that looks at the header."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from shared.adapters.identity_token import IdentityToken
from shared.errors import ConfigError, DependencyUnavailable

AUDIENCE = "https://product-api-1.europe-west1.run.app"
LIVES_SECONDS = 3600


def _jwt(audience: str, number: int) -> str:
    ends = int(time.time()) + LIVES_SECONDS
    parts = [{"alg": "RS256"}, {"aud": audience, "exp": ends, "number": number}]
    told = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*told, "c2ln"])


class _Metadata(BaseHTTPRequestHandler):
    """What google-auth asks a metadata server for an identity token, and an API that answers its header."""

    given = 0

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/products":
            answer = self.headers.get("Authorization", "")
        elif url.path.endswith("/identity"):
            _Metadata.given += 1
            answer = _jwt(parse_qs(url.query)["audience"][0], _Metadata.given)
        elif url.path.endswith("/service-accounts/default/"):
            answer = json.dumps({"email": "fn@p.iam.gserviceaccount.com", "scopes": [], "aliases": ["default"]})
        else:
            answer = ""
        self.send_response(404 if "audience=refused" in url.query else 200)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "application/json" if answer.startswith("{") else "text/plain")
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"127.0.0.1:{server.server_port}"
    _use(monkeypatch, place)
    _Metadata.given = 0
    yield place
    server.shutdown()
    server.server_close()


def _use(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """The library reads the variables when it is imported and again when it asks."""
    from google.auth.compute_engine import _metadata

    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", place, raising=False)
    monkeypatch.setenv("GCE_METADATA_HOST", place)
    monkeypatch.setenv("GCE_METADATA_IP", place)


def test_a_token_for_the_audience_is_sent_and_fetched_once(metadata: str) -> None:
    with httpx.Client(auth=IdentityToken(AUDIENCE)) as client:
        first, second = (client.get(f"http://{metadata}/products").text for _ in range(2))
    scheme, _, token = first.partition(" ")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (scheme, claims["aud"]) == ("Bearer", AUDIENCE)
    assert first == second


def test_a_token_that_is_over_is_fetched_again(metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.contract.adapters.test_identity_token.LIVES_SECONDS", -10)
    with httpx.Client(auth=IdentityToken(AUDIENCE)) as client:
        first, second = (client.get(f"http://{metadata}/products").text for _ in range(2))
    assert first != second


def test_where_there_is_no_account_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nobody.json")
    with httpx.Client(auth=IdentityToken(AUDIENCE)) as client, pytest.raises(ConfigError, match="PRODUCT_API_AUDIENCE"):
        client.get("http://127.0.0.1:9/products")


def test_a_metadata_server_that_refuses_is_a_fault_that_passes(metadata: str) -> None:
    with (
        httpx.Client(auth=IdentityToken("refused")) as client,
        pytest.raises(DependencyUnavailable, match="metadata"),
    ):
        client.get(f"http://{metadata}/products")
