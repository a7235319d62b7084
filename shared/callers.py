"""Who calls a function by HTTP: the e-mail in the bearer token that Cloud Run has verified before the function runs.

Cloud Run checks the token and takes its signature off, so there is nothing left to verify here: only to read who it is,
and whether that is an operator. Of two headers it checks X-Serverless-Authorization alone
(https://cloud.google.com/run/docs/authenticating/service-to-service): then the other may hold anything.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping

import msgspec

NO_OPERATOR = ("not_an_operator", "this identity is not in the setting OPERATORS")


class Refused(Exception):
    """The caller may not, or does not say who it is."""

    def __init__(self, status: int, reason: str, told: str) -> None:
        super().__init__(told)
        self.status = status
        self.reason = reason


class _Claims(msgspec.Struct):
    email: str
    email_verified: bool = False


def caller(headers: Mapping[str, str], allowed: Collection[str], *, otherwise: tuple[str, str] = NO_OPERATOR) -> str:
    """The caller's e-mail. Raises Refused: 401 without a readable identity, 403 with `otherwise` where it may not."""
    authorization = headers.get("X-Serverless-Authorization") or headers.get("Authorization") or ""
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        raise Refused(401, "unauthenticated", "send an identity token: gcloud auth print-identity-token")
    try:
        body = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims = msgspec.json.decode(body, type=_Claims)
    except (binascii.Error, msgspec.DecodeError, ValueError) as exc:
        raise Refused(401, "unauthenticated", "the identity token names no e-mail address") from exc
    if not claims.email_verified:
        raise Refused(401, "unauthenticated", "the identity token's e-mail address is not verified")
    email = claims.email.lower()
    if email not in allowed:
        raise Refused(403, *otherwise)
    return email
