"""Who calls: an operator by the verified e-mail of the token, and nobody else."""

from __future__ import annotations

import base64
import json

import pytest

from shared.callers import Refused, caller

OPERATORS = frozenset({"ann@example.com"})


def bearer(**claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer e30.{body}.SIGNATURE_REMOVED_BY_GOOGLE"


ANN = bearer(email="Ann@example.com", email_verified=True)
BOB = bearer(email="bob@example.com", email_verified=True)


def test_an_operator_is_known_by_the_e_mail_however_it_is_written() -> None:
    assert caller({"Authorization": ANN}, OPERATORS) == "ann@example.com"


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Basic abc", "Bearer a.b", "Bearer a.%%%.c", "Bearer a.e30.c", "Bearer a.W10.c",
        bearer(email="ann@example.com"), bearer(email="ann@example.com", email_verified=False), bearer(email=7),
    ],
)  # fmt: skip
def test_a_token_that_names_nobody_is_401(header: str) -> None:
    with pytest.raises(Refused) as caught:
        caller({"Authorization": header}, OPERATORS)
    assert caught.value.status == 401


def test_somebody_else_is_403() -> None:
    with pytest.raises(Refused) as caught:
        caller({"Authorization": BOB}, OPERATORS)
    assert (caught.value.status, caught.value.reason) == (403, "not_an_operator")


def test_the_header_that_the_platform_checked_is_the_one_that_counts() -> None:
    with pytest.raises(Refused):
        caller({"X-Serverless-Authorization": BOB, "Authorization": ANN}, OPERATORS)
    assert caller({"X-Serverless-Authorization": ANN, "Authorization": BOB}, OPERATORS) == "ann@example.com"
