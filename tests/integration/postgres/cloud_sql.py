"""What the Cloud SQL connector talks to, without Google: the Admin API and the proxy with TLS before the server.

The proxy asks for a certificate that this authority has signed, as Cloud SQL does with
TRUSTED_CLIENT_CERTIFICATE_REQUIRED; the address of the instance is a private one.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth.credentials import Credentials

PROXY_PORT = 3307
"""The connector knows no other."""
HOUR = timedelta(hours=1)


class Login(Credentials):  # type: ignore[misc]  # google.auth has no types
    """Credentials that are good for an hour and come from nobody."""

    def refresh(self, _: Any) -> None:
        self.token = "token"
        self.expiry = (datetime.now(UTC) + HOUR).replace(tzinfo=None)


class Authority:
    """Signs the certificates of both sides."""

    def __init__(self, folder: Path) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self.certificate = self.sign(self._key.public_key(), authority=True)
        self.file = folder / "authority.pem"
        self.file.write_text(self.certificate)

    def sign(self, key: Any, *, authority: bool = False) -> str:
        """A certificate for a public key, as PEM."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority" if authority else "holder")])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        now = datetime.now(UTC)
        built = x509.CertificateBuilder(issuer, name, key, x509.random_serial_number(), now - HOUR, now + HOUR)
        signed = built.add_extension(x509.BasicConstraints(authority, None), critical=True).sign(
            self._key, hashes.SHA256()
        )
        return signed.public_bytes(serialization.Encoding.PEM).decode()


def admin_api(authority: Authority, address: str) -> ThreadingHTTPServer:
    """The two methods of the Admin API that the connector calls, for an instance with a private address alone."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path.endswith("/projects/shop/instances/sluice/connectSettings"), self.path
            self._answer({
                "region": "europe-west1", "databaseVersion": "POSTGRES_18",
                "ipAddresses": [{"type": "PRIVATE", "ipAddress": address}],
                "serverCaCert": {"cert": authority.certificate},
            })  # fmt: skip

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert asked["access_token"] == "token", "IAM authentication was not asked for"
            key = serialization.load_pem_public_key(asked["public_key"].encode())
            self._answer({"ephemeralCert": {"cert": authority.sign(key)}})

        def _answer(self, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def tls_proxy(authority: Authority, folder: Path, port: int) -> socket.socket:
    """Passes what comes with a good certificate on to the server. Raises OSError where the port is taken."""
    key = rsa.generate_private_key(65537, 2048)
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + authority.sign(key.public_key()).encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    listening = socket.create_server(("127.0.0.1", PROXY_PORT))

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listening.accept()
                inside = context.wrap_socket(plain, server_side=True)
                beyond = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=_bridge, args=(inside, beyond), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listening


def _bridge(inside: socket.socket, beyond: socket.socket) -> None:
    """Both ways, until both sides have ended."""
    with inside, beyond:
        back = threading.Thread(target=_pass_on, args=(beyond, inside), daemon=True)
        back.start()
        _pass_on(inside, beyond)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
