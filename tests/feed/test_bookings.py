"""Fills and ledger rows: when they are read, how far back, and what stays due."""

import time
from typing import Any

import pytest
from fakes.frames import POSITION, position
from fakes.pipelines import feed, new_pipeline, row
from fakes.reads import FakeReads

from coindcx_feed.errors import RestError
from coindcx_feed.feed.bookings import LEDGER_OVERLAP_MS, Bookings

HOUR_MS = 3_600_000
PAIR = "B-ETH_USDT"


class Settled:
    """Stands for the pipeline's way in: rows are taken at once."""

    def __init__(self) -> None:
        self.pipeline, self.rows = new_pipeline(), 0
        self.state, self.quirks = self.pipeline.state, self.pipeline.quirks

    async def settle(self, items: list[Any]) -> None:
        self.rows += len(items)

    def refuse(self, reason: str, raw: bytes) -> None:
        raise AssertionError(reason)


def _bookings() -> tuple[Bookings, FakeReads, Settled]:
    settled, reads = Settled(), FakeReads()
    return Bookings(settled, reads), reads, settled  # type: ignore[arg-type]


async def test_ledger_is_read_after_the_fills_of_every_pair() -> None:
    """One list of fills per pair, one ledger for all; afterwards nothing is due."""
    bookings, reads, _ = _bookings()
    bookings.ask({PAIR, "B-BTC_USDT"})
    await bookings.read()
    assert [name for name, _ in reads.asked] == ["fills", "fills", "ledger"]
    assert not bookings.is_due


@pytest.mark.parametrize("failing", ["fills", "ledger"])
async def test_what_could_not_be_read_stays_due(failing: str) -> None:
    """An error, or a part of a list only."""
    bookings, reads, _ = _bookings()
    reads.failing[failing] = RestError("was HTTP 503", 503)
    bookings.ask({PAIR})
    with pytest.raises(RestError, match="503"):
        await bookings.read()
    assert bookings.is_due
    reads.failing.clear()
    reads.partial.add(failing)
    with pytest.raises(RestError, match="a page is missing"):
        await bookings.read()
    assert bookings.is_due
    reads.partial.clear()
    await bookings.read()
    assert not bookings.is_due


async def test_ledger_reaches_back_to_the_last_whole_reading() -> None:
    """With room for rows that were booked late."""
    bookings, reads, _ = _bookings()
    for _ in range(2):
        bookings.ask({PAIR})
        await bookings.read()
    first, second = (since_ms or 0 for name, since_ms in reads.asked if name == "ledger")
    assert first <= second <= time.time() * 1000 - LEDGER_OVERLAP_MS


@pytest.mark.parametrize(("is_open", "expected"), [(True, [False, False, True, False, True]), (False, [False] * 5)])
async def test_ledger_is_due_half_a_minute_after_each_hour_with_an_open_position(
    is_open: bool, expected: list[bool]
) -> None:
    """Funding is booked on full hours; without a position there is none."""
    bookings, _, settled = _bookings()
    if is_open:
        await feed(settled.pipeline, [row(POSITION, position())])
    hour_ms = 500_000 * HOUR_MS
    bookings.funding_passed(hour_ms - 60_000)
    bookings._is_ledger_due = False
    found = []
    for now_ms in (hour_ms - 1, hour_ms + 29_000, hour_ms + 31_000, hour_ms + 90_000, hour_ms + HOUR_MS + 40_000):
        bookings.funding_passed(now_ms)
        found.append(bookings.is_due)
        bookings._is_ledger_due = False
    assert found == expected


def test_wait_for_the_next_funding_ends_half_a_minute_after_the_hour() -> None:
    """Never longer than an hour, never nothing."""
    bookings, _, _ = _bookings()
    hour_ms = 500_000 * HOUR_MS
    assert bookings.until_funding_s(hour_ms) == pytest.approx(30)
    assert bookings.until_funding_s(hour_ms + 30_000) == pytest.approx(3_600)
    assert bookings.until_funding_s(hour_ms + 31_000) == pytest.approx(3_599)
