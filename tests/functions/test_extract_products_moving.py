"""extract_products never lands a catalogue of which a part is missing: pages that do not fit are read afresh."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from shared.adapters.extraction import ROUNDS
from shared.adapters.postgres import Session
from shared.entrypoint import Outcome
from shared.errors import CatalogueMoved
from tests.contract.adapters.catalogue import Fault, send
from tests.functions.extracting import FULL, ITEMS, SUNDAY, Bench, extracting
from tests.functions.harness import LAKE, LANDING
from tests.functions.validating import Bench as Validating
from tests.functions.validating import cells


@pytest.fixture
def bench(session: Session) -> Iterator[Bench]:
    with extracting(session) as made:
        yield made


def after(bench: Bench, items: list[str]) -> Fault:
    """The catalogue becomes another one, then answers."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        bench.catalogue.items = items
        bench.catalogue.answer(handler)

    return answer


def body(items: list[str], pages: int, total: int) -> Fault:
    """An answer whose numbers are made up."""
    return lambda handler: send(
        handler, 200, f'{{"items": [{",".join(items)}], "page": 1, "pages": {pages}, "total": {total}}}'
    )


def test_a_catalogue_that_grows_while_it_is_read_is_read_afresh(bench: Bench) -> None:
    grown = [*ITEMS, '{"product_id": "p5"}']
    bench.catalogue.faults = [bench.catalogue.answer, after(bench, grown)]
    assert bench.run(SUNDAY) == Outcome("extracted", 6, 6)
    assert bench.pages_asked() == [1, 2, 1, 2, 3]
    assert bench.landed() == grown
    assert bench.alerts() == []


def test_a_product_on_two_pages_lets_the_catalogue_be_read_afresh(bench: Bench) -> None:
    moved = ['{"product_id": "new"}', *ITEMS[:4]]  # the total stays, and p1 moves from page 1 to page 2
    bench.catalogue.faults = [bench.catalogue.answer, after(bench, moved)]
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)
    assert bench.pages_asked() == [1, 2, 3, 1, 2, 3]
    assert bench.landed() == moved


def test_a_catalogue_that_itself_names_a_product_on_two_pages_lands_as_it_is(bench: Bench) -> None:
    bench.catalogue.items = [*ITEMS[:4], ITEMS[0]]
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)
    assert bench.pages_asked() == [1, 2, 3, 1, 2, 3]
    assert bench.landed() == bench.catalogue.items


def test_a_product_twice_on_one_page_is_no_sign_of_movement(bench: Bench) -> None:
    bench.catalogue.items = [ITEMS[0], ITEMS[0], *ITEMS[1:]]
    assert bench.run(SUNDAY) == Outcome("extracted", 6, 6)
    assert bench.pages_asked() == [1, 2, 3]


@pytest.mark.parametrize(
    "wrong",
    [body(ITEMS[:2], 3, 6), body(ITEMS[:2], 4, 5), body([], 3, 5), body(ITEMS[:1], 3, 5), body(ITEMS[:2], 3, 0)],
    ids=["another total", "other pages", "an empty page", "a page cut short", "a total of 0"],
)
@pytest.mark.parametrize("page", [1, 2])
def test_one_answer_that_does_not_fit_is_mended_by_reading_afresh(bench: Bench, page: int, wrong: Fault) -> None:
    bench.catalogue.faults = [bench.catalogue.answer] * (page - 1) + [wrong]
    bench.catalogue.items = list(ITEMS)
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)
    assert bench.landed() == ITEMS
    assert bench.alerts() == []


@pytest.mark.parametrize("total", [4, 7])
def test_a_catalogue_that_is_always_cut_short_is_given_up_with_one_alert(bench: Bench, total: int) -> None:
    bench.catalogue.total = total
    for _ in range(2):
        with pytest.raises(CatalogueMoved, match=f"told {total} products but sent 5"):
            bench.run(SUNDAY)
        assert len(bench.pages_asked()) == 3 * ROUNDS
    assert bench.store.names(LANDING) == []
    assert bench.watermark() == []
    (alert,) = bench.alerts()
    assert alert["seen"] == 2
    assert f"told {total} products but sent 5" in alert["told"]
    bench.catalogue.total = None
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)
    assert bench.landed() == ITEMS


def test_what_is_no_product_goes_on_and_is_quarantined_like_any_row(bench: Bench) -> None:
    odd = ["null", "17", '"text"', '[{"product_id": "inside"}]', '{"name": "without an id"}', '{"product_id": null}']
    bench.catalogue.items = [*odd, *ITEMS]
    assert bench.run(SUNDAY) == Outcome("extracted", 11, 11)
    assert bench.landed() == [*odd, *ITEMS]
    validating = Validating()
    validating.run(validating.chunk(bench.store.read(LANDING, FULL), "products", rows=11))
    told = validating.told()
    assert (told.received, told.valid, told.quarantined) == (11, 5, 6)
    assert told.bad
    assert told.bad.object
    reasons = [cell[1] for cell in cells(validating.store.read(LAKE, told.bad.object).decode())[1:]]
    assert reasons == ["not_an_object"] * 4 + ["missing_field"] * 2
