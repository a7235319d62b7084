"""Pages of one extraction: what does not fit together is found, whatever the items look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.catalogue import Tally, check_page
from shared.errors import CatalogueMoved
from tests.unit.judging import few

Pages = list[list[bytes]]


def product(number: int) -> bytes:
    return f'{{"product_id": "p{number}"}}'.encode()


def tally(pages: Pages) -> Tally:
    made = Tally()
    for page in pages:
        made.add(page)
    return made


def in_pages(items: list[bytes], size: int) -> Pages:
    return [items[start : start + size] for start in range(0, len(items), size)]


@few
@given(st.integers(1, 40), st.integers(1, 10))
def test_distinct_products_in_the_number_that_was_told_fit(count: int, size: int) -> None:
    made = tally(in_pages([product(n) for n in range(count)], size))
    made.check(count, None)
    assert made.received == count


@few
@given(st.integers(2, 30), st.integers(1, 5), st.data())
def test_a_missing_or_repeated_product_is_always_found(count: int, size: int, data: st.DataObject) -> None:
    items = [product(n) for n in range(count)]
    gone = data.draw(st.integers(0, count - 1))
    with pytest.raises(CatalogueMoved, match=f"told {count} products but sent {count - 1}"):
        tally(in_pages(items[:gone] + items[gone + 1 :], size)).check(count, None)
    shifted = [*items[:size], *items[size - 1 : count - 1]]  # one came in at the front of what was not yet read
    if count > size:
        with pytest.raises(CatalogueMoved, match="1 products came on two pages"):
            tally(in_pages(shifted, size)).check(count, None)


def test_the_same_twice_over_is_the_catalogues_own_and_fits() -> None:
    pages = [[product(1), product(2)], [product(1)]]
    with pytest.raises(CatalogueMoved) as caught:
        tally(pages).check(3, None)
    assert caught.value.digest
    tally(pages).check(3, caught.value.digest)
    with pytest.raises(CatalogueMoved) as other:
        tally([[product(1), product(3)], [product(1)]]).check(3, caught.value.digest)
    assert other.value.digest not in (None, caught.value.digest)


def test_a_wrong_number_is_never_accepted_however_often_it_comes() -> None:
    pages = [[product(1)], [product(1)]]
    with pytest.raises(CatalogueMoved) as caught:
        tally(pages).check(2, None)
    with pytest.raises(CatalogueMoved, match="told 3 products but sent 2"):
        tally(pages).check(3, caught.value.digest)


def test_a_product_twice_on_one_page_fits() -> None:
    tally([[product(1), product(1)], [product(2)]]).check(3, None)


@pytest.mark.parametrize("item", [b"null", b"17", b'"text"', b"[]", b"{}", b'{"name": "x"}', b'{"product_id"', b"\xff"])
def test_items_without_an_id_count_and_are_told_from_no_other(item: bytes) -> None:
    tally([[item], [item, product(1)]]).check(3, None)


@pytest.mark.parametrize(
    ("items", "told", "first"),
    [
        (5, (3, 12), (3, 12)),
        (5, (3, 12), (None, None)),
        (0, (0, 0), (None, None)),
        (0, (1, 0), (None, None)),
        (2, (1, 2), (None, None)),
    ],
)
def test_a_page_that_tells_what_page_1_told_fits(items: int, told: tuple[int, int], first: tuple[int, int]) -> None:
    check_page(1, items, told, first)


@pytest.mark.parametrize(
    ("items", "told", "first", "says"),
    [
        (5, (3, 13), (3, 12), "page 2 tells 13 products on 3 pages, page 1 told 12 on 3"),
        (5, (4, 12), (3, 12), "on 4 pages"),
        (0, (3, 12), (3, 12), "page 2 of 3 is empty"),
        (0, (0, 12), (None, None), "page 2 of 0 is empty"),
        (5, (0, 0), (None, None), "the total it tells is 0"),
        (5, (13, 12), (None, None), "13 pages for 12 products"),
        (0, (2, 0), (None, None), "2 pages for 0 products"),
    ],
)
def test_a_page_that_does_not_fit_is_named(
    items: int, told: tuple[int, int], first: tuple[int | None, int | None], says: str
) -> None:
    with pytest.raises(CatalogueMoved, match=says):
        check_page(2, items, told, first)
