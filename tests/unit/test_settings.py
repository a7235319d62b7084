"""Settings: one error names all that is wrong, and no secret is shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError
from shared.settings import load_settings
from tests.unit.judging import few

NEEDED = {"GOOGLE_CLOUD_PROJECT": "p", "LANDING_BUCKET": "l", "LAKE_BUCKET": "k", "QUARANTINE_BUCKET": "q"}
NUMBERS = [
    "CHUNK_ROWS", "CHUNK_BYTES", "MAX_LINE_BYTES", "MAX_EXPANDED_BYTES", "MAX_EXPANSION_RATIO", "CUT_SECONDS",
    "PRODUCT_PAGE_SIZE", "EXTRACT_SECONDS",
]  # fmt: skip


def test_what_is_needed_is_enough() -> None:
    settings = load_settings(NEEDED)
    assert (settings.project, settings.landing_bucket, settings.lake_bucket, settings.quarantine_bucket) == tuple(
        "plkq"
    )
    assert settings.base_currency == "GBP"
    assert settings.database_url == ""
    assert {"card", "other"} <= settings.payment_methods


def test_all_that_is_missing_or_no_number_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"LAKE_BUCKET": "k", **dict.fromkeys(NUMBERS, "many")})
    told = str(caught.value)
    assert all(f"{name} is not set" in told for name in NEEDED if name != "LAKE_BUCKET")
    assert all(f"{name} must be a whole number of at least " in told for name in NUMBERS)
    assert "LAKE_BUCKET" not in told
    assert ".env.example" in told
    assert "many" not in told


@pytest.mark.parametrize("name", NEEDED)
def test_an_empty_name_is_missing(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is not set"):
        load_settings({**NEEDED, name: ""})


@pytest.mark.parametrize(
    "text", ["0", "-1", "1.5", "1e3", " 7", "7 ", "1_000", "\N{SUPERSCRIPT TWO}", "\uff17", "9" * 5_000, "x"]
)
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_or_too_small_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"incomplete: {name} must be"):
        load_settings({**NEEDED, name: text})


def test_numbers_are_read() -> None:
    settings = load_settings({**NEEDED, **dict.fromkeys(NUMBERS, "4096")})
    assert (settings.chunk_rows, settings.chunk_bytes, settings.max_line_bytes, settings.cut_seconds) == (4096,) * 3 + (
        4096.0,
    )


@pytest.mark.parametrize("text", ["card,paypal", " Card , PayPal ,", "paypal,card,card"])
def test_payment_methods_are_a_list_however_it_is_written(text: str) -> None:
    assert load_settings({**NEEDED, "PAYMENT_METHODS": text}).payment_methods == {"card", "paypal"}


@few
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).map(lambda word: f"<{word}>"))
def test_no_secret_is_shown(secret: str) -> None:
    settings = load_settings({**NEEDED, "DATABASE_URL": f"postgresql://sluice:{secret}@db/sluice"})
    assert secret in settings.database_url
    shown = repr(settings)
    assert not re.search("database_url|postgresql", shown)
    assert secret not in shown
    with pytest.raises(ConfigError) as caught:
        load_settings({"DATABASE_URL": secret})
    assert secret not in str(caught.value)


def test_the_environment_is_read_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    assert load_settings().project == "p"
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p2")
    assert load_settings().project == "p2"


@pytest.mark.parametrize(("name", "text"), [("DATE_ORDER", "ymd"), ("DATE_ORDER", "DMY"), ("NUMBER_FORMAT", "comma")])
def test_a_format_that_is_not_known_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be"):
        load_settings({**NEEDED, name: text})


def test_formats_are_undeclared_unless_they_are_set() -> None:
    settings = load_settings(NEEDED)
    assert (settings.date_order, settings.number_format) == ("", "")
    declared = load_settings({**NEEDED, "DATE_ORDER": "dmy", "NUMBER_FORMAT": "decimal_comma"})
    assert (declared.date_order, declared.number_format) == ("dmy", "decimal_comma")
