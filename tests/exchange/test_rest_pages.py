"""Walking through pages of a list that is sorted somehow and moves meanwhile."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coindcx_feed.errors import ServerTrouble
from coindcx_feed.exchange import rest_pages
from coindcx_feed.exchange.rest import Reply
from coindcx_feed.exchange.rest_account import FILLS, ORDERS
from coindcx_feed.exchange.rest_pages import PAGE_SIZE, BackTo, Collector, Fetch, walk
from coindcx_feed.exchange.rest_rows import Kind, Reading

Rows = list[dict[str, Any]]


def _order(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"o-{number}", "status": "filled", "created_at": number, "updated_at": number, **fields}


def _fill(number: int, **fields: Any) -> dict[str, Any]:
    row = {"order_id": f"o-{number}", "pair": "B-ETH_USDT", "price": 1, "quantity": 1, "timestamp": number}
    return {**row, **fields}


def _pages(rows: Callable[[int], Rows], asked: list[int], size: int = PAGE_SIZE) -> Fetch:
    async def fetch(page: int) -> Reply:
        asked.append(page)
        return Reply(
            msgspec.json.encode(rows(page)[(page - 1) * size : page * size]), page * 10.0, page * 10.0 + 5, None
        )

    return fetch


async def _read(
    rows: Rows | Callable[[int], Rows],
    kind: Kind[Any] = ORDERS,
    *,
    since_ms: int | None = None,
    live: tuple[str, ...] = (),
    size: int = PAGE_SIZE,
) -> tuple[Reading[Any], list[int]]:
    asked: list[int] = []
    collector = Collector(kind)
    of_page = rows if callable(rows) else lambda _page: rows
    await walk(_pages(of_page, asked, size), collector, BackTo(kind, since_ms, live))
    return collector.reading(since_ms), asked


def _ids(reading: Reading[Any]) -> list[str]:
    return [row.key for row in reading.rows]


@pytest.mark.parametrize(
    ("count", "pages"),
    [(0, [1]), (1, [1]), (99, [1]), (100, [1, 2]), (101, [1, 2]), (200, [1, 2, 3]), (357, [1, 2, 3, 4])],
)
async def test_list_is_read_to_its_short_page(count: int, pages: list[int]) -> None:
    """Every row once, and no page more than needed."""
    reading, asked = await _read([_order(number) for number in range(count)])
    assert _ids(reading) == [f"o-{number}" for number in range(count)]
    assert reading.is_complete
    assert asked == pages


async def test_page_size_that_the_exchange_cuts_down_loses_nothing() -> None:
    """Fifty of hundred asked for is a cap, not the end: the next page tells."""
    reading, asked = await _read([_order(number) for number in range(120)], size=50)
    assert len(reading.rows) == 120
    assert reading.is_complete
    assert asked == [1, 2, 3]


async def test_round_list_that_fits_on_a_page_costs_one_request_more() -> None:
    """Ten rows might have been a cap."""
    reading, asked = await _read([_order(number) for number in range(10)])
    assert reading.is_complete
    assert asked == [1, 2]


async def test_short_list_answered_whatever_the_page_is_complete() -> None:
    """A server without pages."""
    rows = [_order(number) for number in range(20)]
    reading, asked = await _read(lambda page: [{}] * PAGE_SIZE * (page - 1) + rows)
    assert len(reading.rows) == 20
    assert reading.is_complete
    assert asked == [1, 2]


async def test_F28_full_page_that_repeats_is_partial() -> None:
    """The list does not advance: what lies behind it is unknown, and that is said."""
    rows = [_order(number) for number in range(PAGE_SIZE)]
    reading, asked = await _read(lambda page: [{}] * PAGE_SIZE * (page - 1) + rows)
    assert len(reading.rows) == PAGE_SIZE
    assert reading.because == "orders page 2: expected further rows, was a repeat"
    assert asked == [1, 2]


async def test_C8_endless_list_is_bounded_and_partial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory and budget are finite."""
    monkeypatch.setattr(rest_pages, "MAX_PAGES", 3)
    reading, asked = await _read([_order(number) for number in range(1_000)])
    assert len(reading.rows) == 300
    assert reading.because == "orders: expected at most 3 pages, was more"
    assert asked == [1, 2, 3]


async def test_rows_that_moved_to_the_next_page_are_not_doubled() -> None:
    """Three orders are placed between the two requests: the last three of page one appear again."""
    rows = [_order(number) for number in range(150)]
    reading, _ = await _read(lambda page: rows if page == 1 else [_order(-1), _order(-2), _order(-3), *rows])
    assert _ids(reading) == [f"o-{number}" for number in range(150)]
    assert reading.is_complete


@pytest.mark.parametrize(("updated_at", "expected"), [(600, "cancelled"), (400, "filled")])
async def test_newer_version_of_a_row_seen_twice_wins(updated_at: int, expected: str) -> None:
    """It was updated between the two requests; an older one never replaces it."""
    rows = [_order(number, updated_at=500) for number in range(150)]
    moved = [*rows[:100], _order(99, status="cancelled", updated_at=updated_at), *rows[101:]]
    reading, _ = await _read(lambda page: rows if page == 1 else moved)
    assert next(row.record.status for row in reading.rows if row.key == "o-99") == expected


async def test_C7_failed_page_makes_the_reading_partial() -> None:
    """What was read is kept; why the rest is missing is said."""
    rows = [_order(number) for number in range(300)]
    asked: list[int] = []
    good = _pages(lambda _page: rows, asked)

    async def fetch(page: int) -> Reply:
        if page == 3:
            raise ServerTrouble("orders: expected HTTP 200, was 503", 503)
        return await good(page)

    collector = Collector(ORDERS)
    await walk(fetch, collector, BackTo(ORDERS, None))
    reading = collector.reading()
    assert len(reading.rows) == 200
    assert reading.because == "page 3 could not be read: orders: expected HTTP 200, was 503"


async def test_F28_failed_first_page_is_an_error_not_an_empty_list() -> None:
    """Nothing is known then."""

    async def fetch(_page: int) -> Reply:
        raise ServerTrouble("orders: expected HTTP 200, was 503", 503)

    collector = Collector(ORDERS)
    with pytest.raises(ServerTrouble):
        await walk(fetch, collector, BackTo(ORDERS, None))
    assert collector.is_empty


async def test_C1_row_that_does_not_validate_is_returned_apart() -> None:
    """Its neighbours are read, and absence means nothing any more: the bad row may be the missing one."""
    reading, _ = await _read([_order(1), {"id": 7, "status": None}, _order(2)])
    assert _ids(reading) == ["o-1", "o-2"]
    (rejected,) = reading.rejected
    assert rejected.raw == b'{"id":7,"status":null}'
    assert reading.because is not None
    assert reading.because.startswith("1 rows are not as documented, the first: orders row, field id")


async def test_times_of_a_reading_span_its_requests() -> None:
    """An older snapshot must be recognisable: each row knows when it was asked for."""
    reading, _ = await _read([_order(number) for number in range(150)])
    assert (reading.asked_ms, reading.received_ms, reading.requests) == (10.0, 25.0, 2)
    assert (reading.rows[0].asked_ms, reading.rows[-1].asked_ms) == (10.0, 20.0)


async def test_sorted_list_is_read_back_to_a_time_only() -> None:
    """Newest first: the page that reaches behind the time is the last one."""
    rows = [_order(number) for number in range(10_000, 0, -1)]
    reading, asked = await _read(rows, since_ms=9_850)
    assert asked == [1, 2]
    assert {f"o-{number}" for number in range(9_850, 10_001)} <= set(_ids(reading))
    assert (reading.is_complete, reading.since_ms) == (True, 9_850)


async def test_list_that_grows_while_it_is_read_is_read_back_to_a_time_only() -> None:
    """Rows that were pushed on to the next page come again there: they are no sign of another order."""

    def rows(page: int) -> Rows:
        return [_order(number) for number in range(10_000 + 3 * page, 0, -1)]

    reading, asked = await _read(rows, since_ms=9_850)
    assert asked == [1, 2]
    assert reading.is_complete
    assert len(_ids(reading)) == 197


async def test_time_that_falls_by_chance_ends_no_reading() -> None:
    """Sorted by update, and the first page fell by creation too: an old order at its end must not hide a new one."""
    rows = [_order(number) for number in range(10_000, 9_901, -1)]
    rows += [_order(9_901, created_at=1), _order(9_900), *(_order(number) for number in range(9_800, 9_000, -1))]
    reading, asked = await _read(rows, since_ms=9_850)
    assert "o-9900" in _ids(reading)
    assert asked == [1, 2]


async def test_unsorted_list_is_read_to_its_end() -> None:
    """The order is not documented: one row out of place and nothing is assumed."""
    rows = [_order(number) for number in range(500, 0, -1)]
    rows[3], rows[4] = rows[4], rows[3]
    _, asked = await _read(rows, since_ms=450)
    assert asked == [1, 2, 3, 4, 5, 6]


async def test_row_without_time_forbids_stopping_early() -> None:
    """Nothing can be said of what follows it."""
    rows = [_order(number) for number in range(500, 0, -1)]
    rows[7] = {"id": "o-x", "status": "filled"}
    _, asked = await _read(rows, since_ms=450)
    assert len(asked) == 6


async def test_old_order_that_was_live_is_looked_for_behind_the_time() -> None:
    """Sorted by creation: an order placed long ago and filled during the gap stands far down the list."""
    rows = [_order(number) for number in range(1_000, 0, -1)]
    rows[450]["updated_at"] = 999
    reading, asked = await _read(rows, since_ms=990, live=(rows[450]["id"],))
    assert asked == [1, 2, 3, 4, 5]
    assert rows[450]["id"] in _ids(reading)


@settings(max_examples=60, deadline=None)
@given(rng=st.randoms(use_true_random=False), how=st.sampled_from(["updated_at", "created_at", "none"]))
async def test_F28_early_end_never_misses_what_changed(rng: random.Random, how: str) -> None:
    """However the list is sorted: what changed after the time is read, if the orders that were live are given."""
    orders = []
    for index in range(rng.randint(101, 450)):
        created = rng.randint(0, 400)
        orders.append(_order(index, created_at=created, updated_at=created + rng.choice((0, 0, 1, 5, 200))))
    if how != "none":
        orders.sort(key=lambda row: -row[how])
    since = rng.randint(0, 600)
    live = tuple(row["id"] for row in orders if row["created_at"] <= since <= row["updated_at"])
    reading, _ = await _read(orders, since_ms=since, live=live)
    assert reading.is_complete
    assert {row["id"] for row in orders if row["updated_at"] >= since} <= set(_ids(reading))


async def test_equal_fills_without_id_are_both_kept() -> None:
    """Two fills of one order at one moment with the same size are two fills."""
    reading, _ = await _read([_fill(2), _fill(2), _fill(1)], FILLS)
    assert len(reading.rows) == 3
    assert len({row.key for row in reading.rows}) == 3


async def test_fill_without_id_that_appears_on_two_pages_is_one() -> None:
    """The next page begins with rows of the one before."""
    rows = [_fill(number) for number in range(150)]
    reading, _ = await _read(lambda page: rows if page == 1 else [_fill(-1), _fill(-2), *rows], FILLS)
    assert len(reading.rows) == 150


async def test_keys_made_of_content_are_the_same_at_the_next_reading() -> None:
    """So that what was published once is recognised, also when the rows before it are gone."""
    rows = [_fill(number // 2) for number in range(60)]
    first, _ = await _read(rows, FILLS)
    again, _ = await _read([_fill(99), *rows[20:]], FILLS)
    assert set(_ids(again)[1:]) == set(_ids(first)[20:])
