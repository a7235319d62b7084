"""What an object's name says: its source, its shape, whether it is packed; a name that says none of it is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.sources import SOURCES, Route, Shape, Source, route
from shared.errors import UnsupportedFile

KNOWN: list[tuple[Source, str, Shape]] = [
    ("transactions", "ndjson", "lines"),
    ("transactions", "jsonl", "lines"),
    ("transactions", "json", "json"),
    ("users", "csv", "csv"),
    ("products", "ndjson", "lines"),
    ("products", "jsonl", "lines"),
    ("products", "json", "json"),
    ("fx_rates", "csv", "csv"),
]


@pytest.mark.parametrize(("source", "extension", "shape"), KNOWN)
@pytest.mark.parametrize("stem", ["a", "2026-01-01/part.1", "a..b", "...c", "Été 1", "a.gz"])
def test_folder_and_extension_give_the_route(source: Source, extension: str, shape: Shape, stem: str) -> None:
    name = f"{source}/{stem}.{extension}"
    assert route(name) == Route(source, shape, gzipped=False)
    assert route(f"{name}.gz") == Route(source, shape, gzipped=True)
    assert route(f"{source}/{stem}.{extension.upper()}.GZ") == Route(source, shape, gzipped=True)


def test_every_source_has_a_route() -> None:
    assert {source for source, _, _ in KNOWN} == set(SOURCES)


def refusal(name: str) -> str:
    with pytest.raises(UnsupportedFile) as refused:
        route(name)
    return refused.value.reason


@pytest.mark.parametrize(
    "name",
    [
        "transactions/../users/a.csv", "../a.json", "transactions/..", "./transactions/a.json", "transactions/./a.json",
        "/transactions/a.json", "transactions//a.json", "transactions\\a.json", "transactions/a\n.json",
        "transactions/a\x00.json", "transactions/a\x7f.json",
    ],
)  # fmt: skip
def test_a_name_that_could_lead_elsewhere_is_unsafe(name: str) -> None:
    assert refusal(name) == "unsafe_name"


@pytest.mark.parametrize(
    "name", ["", "a.json", "transactions", "transactions/", "Transactions/a.json", "orders/a.json"]
)
def test_a_file_outside_the_folders_of_the_sources_is_unknown(name: str) -> None:
    assert refusal(name) == "unknown_source"


@pytest.mark.parametrize(
    "name",
    ["transactions/a", "transactions/a.csv", "users/a.json", "users/a.csv.zip", "users/.gz", "users/a.", "users/csv/a"],
)
def test_a_type_that_the_source_does_not_arrive_as_is_unknown(name: str) -> None:
    assert refusal(name) == "unknown_type"


def test_a_refusal_names_the_file_and_says_what_to_do() -> None:
    with pytest.raises(UnsupportedFile, match=r"'users/a\.json': users arrive as \.csv \(or the same with \.gz\)"):
        route("users/a.json")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*SOURCES, "/", ".", "..", ".json", ".csv", ".gz", "a", "\\", "\n", "é"])).map("".join))
def test_any_name_has_a_safe_route_or_a_reason(name: str) -> None:
    try:
        found = route(name)
    except UnsupportedFile as refused:
        reason = refused.reason
    else:
        reason = ""
        assert name.startswith(f"{found.source}/")
        assert not {"", ".", ".."} & set(name.split("/"))
    assert reason in {"", "unsafe_name", "unknown_source", "unknown_type"}
