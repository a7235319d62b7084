"""The simulated product API's plan: words, dice, script and schema, all without a server."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.product_api.plan import FAULTS, BadPlan, Plan, make_plan
from local.product_api.schedule import Schedule
from local.product_api.schema import changed, parse_change
from local.product_api.served import Served
from tests.test_docs import first_column, section
from tests.unit.judging import few

ITEM = b'{"product_id": "p1", "price": 1.10, "supplier_id": null}'


def outcomes(plan: Plan, count: int) -> list[str]:
    schedule = Schedule(plan)
    return [schedule.next() for _ in range(count)]


def test_without_a_plan_nothing_goes_wrong() -> None:
    assert set(outcomes(Plan(), 1000)) == {"ok"}


def test_the_same_seed_throws_the_same_and_another_one_does_not() -> None:
    words = ["429=0.2", "5xx=0.2", "truncate=0.05"]
    plan = make_plan(words, seed=7)
    assert outcomes(plan, 500) == outcomes(plan, 500)
    assert outcomes(plan, 500) != outcomes(make_plan(words, seed=8), 500)


def test_rates_are_kept_in_the_long_run() -> None:
    counts = Counter(outcomes(make_plan([f"{kind}=0.1" for kind in FAULTS]), 20_000))
    assert all(1_800 < counts[kind] < 2_200 for kind in FAULTS)
    assert 5_600 < counts["ok"] < 6_400


def test_every_kind_of_fault_is_documented() -> None:
    kinds = first_column(section("docs/local-cloud.md", "## Faults"))
    assert [kind for kind in kinds if kind in FAULTS] == list(FAULTS)


def test_a_script_comes_first_and_in_its_order() -> None:
    plan = make_plan(["reset=1"], "ok, 429,5xx*3,ok")
    assert outcomes(plan, 8) == ["ok", "429", "5xx", "5xx", "5xx", "ok", "reset", "reset"]


@pytest.mark.parametrize(
    ("faults", "script", "schema", "says"),
    [
        (["418=0.1"], "", [], "fault '418' is none of 429, 5xx"),
        (["429"], "", [], "write KIND=RATE"),
        (["429=often"], "", [], "write KIND=RATE"),
        (["429=1.5"], "", [], "a rate is from 0 to 1"),
        (["429=-0.1"], "", [], "a rate is from 0 to 1"),
        (["429=nan"], "", [], "a rate is from 0 to 1"),
        (["429=0.6", "5xx=0.6"], "", [], "add up to 1.2"),
        ([], "ok,teapot", [], "script: 'teapot' is none of ok, 429"),
        ([], "429*0", [], "write KIND or KIND"),
        ([], "429*x", [], "write KIND or KIND"),
        ([], "", ["mangle:price"], "rename:OLD=NEW, retype:FIELD=TYPE, drop:FIELD, add:FIELD=TYPE"),
        ([], "", ["rename:price"], "write rename:OLD=NEW"),
        ([], "", ["retype:price=money"], "a type is one of string, number"),
        ([], "", ["drop:"], "write drop:FIELD"),
        ([], "", ["add:colour"], "write add:FIELD=TYPE"),
    ],
)
def test_a_word_that_means_nothing_is_named(faults: list[str], script: str, schema: list[str], says: str) -> None:
    with pytest.raises(BadPlan) as caught:
        make_plan(faults, script, schema)
    assert says in str(caught.value)


@pytest.mark.parametrize("wrong", [{"retry_after": -1.0}, {"hang_seconds": 4000.0}, {"retry_after": float("nan")}])
def test_times_that_mean_nothing_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(BadPlan, match="0 to 3600 seconds"):
        make_plan(**wrong)  # type: ignore[arg-type]  # one of its numbers


def test_a_plan_goes_over_the_wire_as_it_is() -> None:
    plan = make_plan(["429=0.2"], "ok,429", ["rename:price=unit_price", "drop:supplier_id"], retry_after=0.2, seed=3)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("rename:price=unit_price", b'{"product_id":"p1","unit_price":1.10,"supplier_id":null}'),
        ("retype:price=string", b'{"product_id":"p1","price":"1.10","supplier_id":null}'),
        ("retype:price=array", b'{"product_id":"p1","price":[1.10],"supplier_id":null}'),
        ("retype:price=object", b'{"product_id":"p1","price":{"value":1.10},"supplier_id":null}'),
        ("retype:price=null", b'{"product_id":"p1","price":null,"supplier_id":null}'),
        ("retype:product_id=number", b'{"product_id":1,"price":1.10,"supplier_id":null}'),
        ("drop:supplier_id", b'{"product_id":"p1","price":1.10}'),
        ("add:colour=string", b'{"product_id":"p1","price":1.10,"supplier_id":null,"colour":"simulated"}'),
        ("drop:unknown", b'{"product_id":"p1","price":1.10,"supplier_id":null}'),
    ],
)
def test_a_change_of_the_schema_leaves_all_else_as_it_was_written(word: str, wanted: bytes) -> None:
    assert changed(ITEM, [parse_change(word)]) == wanted


def test_a_text_that_is_a_number_keeps_its_digits() -> None:
    assert changed(b'{"price":"12.50"}', [parse_change("retype:price=number")]) == b'{"price":12.50}'


def test_changes_are_made_in_their_order() -> None:
    words = ["rename:price=cost", "retype:cost=string", "add:price=boolean"]
    assert json.loads(changed(ITEM, [parse_change(word) for word in words]))["cost"] == "1.10"


@pytest.mark.parametrize("item", [b"null", b"[1]", b'"text"', b"17"])
def test_what_is_no_object_has_no_schema_to_change(item: bytes) -> None:
    assert changed(item, [parse_change("add:colour=string")]) == item


NAMES = st.sampled_from(["product_id", "price", "supplier_id", "colour"])
TYPES = st.sampled_from(["string", "number", "boolean", "null", "array", "object"])
WORDS = st.one_of(
    st.builds("rename:{}={}".format, NAMES, NAMES),
    st.builds("retype:{}={}".format, NAMES, TYPES),
    st.builds("add:{}={}".format, NAMES, TYPES),
    st.builds("drop:{}".format, NAMES),
)
ITEMS = st.dictionaries(NAMES, st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))


@few
@given(ITEMS, st.lists(WORDS, max_size=4))
def test_any_changes_give_a_json_object(item: dict[str, object], words: list[str]) -> None:
    assert isinstance(json.loads(changed(json.dumps(item).encode(), [parse_change(word) for word in words])), dict)


def test_what_was_served_is_told_by_run_and_page() -> None:
    served, now = Served(), datetime(2026, 3, 1, tzinfo=UTC)
    served.asked("1.1", 1, "ok", now)
    served.asked("1.1", 2, "429", now)
    served.close_until(now + timedelta(seconds=1))
    served.asked("1.1", 2, "5xx", now + timedelta(seconds=0.9))
    served.asked("1.1", 2, "ok", now + timedelta(seconds=1))
    told = served.summary()
    assert told["requests"] == 4
    assert told["faults"] == {"429": 1, "5xx": 1}
    assert told["early_requests"] == 1
    assert [(page["run"], page["page"], page["asked"], page["whole"]) for page in told["pages"]] == [
        ("1.1", 1, 1, 1), ("1.1", 2, 3, 1)
    ]  # fmt: skip
