"""`sluice simulate` by its words: what it refuses, what it prints, and what it says where no simulation answers."""

from __future__ import annotations

import json

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.contract.adapters.catalogue import Catalogue, Fault, status, text
from tests.contract.adapters.servers import nobody_listens


def simulate(url: str, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    done = CliRunner().invoke(app, ["simulate", "api", *words], env={"PRODUCT_API_URL": url})
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "say one of --show, --clear"),
        (["--show", "--clear"], "say one of --show, --clear"),
        (["--show", "--fault", "429=1"], "say one of --show, --clear"),
        (["--fault", "418=0.1"], "fault '418' is none of"),
        (["--fault", "429=2"], "a rate is from 0 to 1"),
        (["--script", "ok,teapot"], "'teapot' is none of"),
        (["--schema", "mangle:price"], "rename:OLD=NEW"),
        (["--fault", "429=1", "--retry-after", "-1"], "retry-after is from 0 to 3600"),
        (["--fault", "429=1", "--hang-seconds", "9999"], "hang-seconds is from 0 to 3600"),
    ],
)
def test_a_word_that_means_nothing_is_one_line_and_exit_code_2(words: list[str], says: str) -> None:
    with nobody_listens() as host:
        code, out, told = simulate(f"http://{host}", *words)
    assert (code, out) == (2, "")
    assert says in told
    assert told.count("\n") == 1


def test_where_nobody_answers_it_says_so() -> None:
    with nobody_listens() as host:
        code, _, told = simulate(f"http://{host}", "--show")
    assert code == 1
    assert "no simulated product API answers at" in told


@pytest.mark.parametrize("answer", [text("<html>"), text("{}"), text("[1]"), status(404)])
def test_what_is_not_the_simulation_is_told_from_it(answer: Fault) -> None:
    with Catalogue(always=answer) as catalogue:
        code, _, told = simulate(catalogue.url, "--show")
    assert code == 1
    assert "simulated product API" in told
    assert told.count("\n") == 1


def test_the_plan_and_what_was_served_are_shown_for_people_and_for_scripts(product_api_url: str) -> None:
    words = ("--fault", "429=0.5", "--script", "reset*2", "--schema", "rename:price=cost", "--seed", "3")
    code, out, _ = simulate(product_api_url, *words)
    assert code == 0
    assert all(part in out for part in ("fault 429", "0.5 of requests", "script reset", "2 requests", "price → cost"))
    with pytest.raises(httpx.ReadError):
        httpx.get(f"{product_api_url}/products", headers={"X-Extraction-Run": "7.1"})
    code, out, _ = simulate(product_api_url, "--show")
    assert code == 0
    assert "answered with reset" in out
    assert "7.1" in out
    served = json.loads(simulate(product_api_url, "--show", "--json")[1])["served"]
    assert (served["requests"], served["faults"]) == (1, {"reset": 1})
    code, out, _ = simulate(product_api_url, "--clear")
    assert (code, "behaves well" in out) == (0, True)
    plan = json.loads(simulate(product_api_url, "--show", "--json")[1])["plan"]
    assert (plan["rates"], plan["script"], plan["schema"]) == ({}, [], [])
