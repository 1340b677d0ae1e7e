"""Runs of events: bounds, cuts per filter, conflation."""

import time

from sidecar.helpers import EPOCH, event

from coindcx_feed.exchange.records import Record
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.normalize import MarketItem
from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar.batch import Batch, market_newest
from coindcx_feed.sidecar.frames import text_frame
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.query import Wants, parse_query

LIMITS = Limits(slice_events=10, slice_bytes=10_000)
ACCOUNT = Wants()
ORDERS = parse_query([("types", "order")]).wants
TRADES = parse_query([("types", "trade")]).wants


def ring_of(*kinds: str, padding: int = 0) -> Ring:
    ring = Ring(1000, EPOCH)
    for seq, kind in enumerate(kinds, 1):
        ring.append(event(seq, kind, padding=padding))
    return ring


def market_of(count: int) -> MarketFeed:
    market = MarketFeed()
    for number in range(count):
        pair = "B-BTC_USDT" if number % 2 else "B-ETH_USDT"
        market.append(MarketItem("trade", Record(), b"{}", pair, None), time.time_ns())
    return market


def test_whole_account_is_every_body_framed() -> None:
    """Without a filter nothing is looked at."""
    ring = ring_of("order", "balance")
    batch = Batch.read(ring, None, 0, 0, [ACCOUNT], LIMITS)
    expected = b"".join(text_frame(body) for body in ring.bodies_since(0, 10))
    assert batch.cut(ACCOUNT) == (expected, 2)
    assert batch.seq == 2


def test_a_batch_serves_several_filters() -> None:
    """The filtered and the whole one agree on the position."""
    ring = ring_of("order", "balance", "order")
    bodies = ring.bodies_since(0, 10)
    batch = Batch.read(ring, None, 0, 0, [ACCOUNT, ORDERS], LIMITS)
    assert batch.cut(ACCOUNT)[1] == 3
    assert batch.cut(ORDERS) == (text_frame(bodies[0]) + text_frame(bodies[2]), 2)
    assert batch.cut(TRADES) == (b"", 0)


def test_count_and_bytes_bound_a_batch() -> None:
    """At most ``slice_events``, at most ``slice_bytes``, at least one."""
    assert Batch.read(ring_of(*["order"] * 30), None, 0, 0, [ACCOUNT], LIMITS).seq == 10
    assert Batch.read(ring_of(*["order"] * 30, padding=3000), None, 0, 0, [ACCOUNT], LIMITS).seq == 3
    assert Batch.read(ring_of(*["order"] * 30, padding=3000), None, 0, 0, [ORDERS], LIMITS).seq == 3
    assert Batch.read(ring_of(*["order"] * 3, padding=30_000), None, 0, 0, [ACCOUNT], LIMITS).seq == 1


def test_upto_is_the_last_number_read() -> None:
    """A client that catches up must not pass the others."""
    ring = ring_of(*["order"] * 8)
    assert Batch.read(ring, None, 2, 0, [ACCOUNT], LIMITS, upto=5).seq == 5
    batch = Batch.read(ring, None, 5, 0, [ACCOUNT], LIMITS, upto=5)
    assert (batch.seq, batch.cut(ACCOUNT)) == (5, (b"", 0))


def test_a_gap_goes_first_and_only_to_account_readers() -> None:
    """It is a message, not an event: it does not count."""
    batch = Batch.read(ring_of("order"), market_of(1), 0, 0, [ACCOUNT, TRADES], LIMITS)
    data, count = batch.cut(ACCOUNT, b"gap")
    assert data.startswith(text_frame(b"gap"))
    assert count == 1
    assert text_frame(b"gap") not in batch.cut(TRADES, b"gap")[0]


def test_market_position_moves_even_when_nobody_wants_it() -> None:
    """Otherwise the first who asks would get old messages."""
    assert Batch.read(ring_of("order"), market_of(50), 0, 0, [ACCOUNT], LIMITS).mseq == 50
    assert Batch.read(ring_of("order"), market_of(50), 0, 0, [TRADES], LIMITS).mseq == 10


def test_conflation_keeps_the_newest_of_each_pair_in_order() -> None:
    """Nothing after ``upto``: the lane sends that."""
    data, count, mseq = market_newest(market_of(50), 0, 41, TRADES)
    assert (count, mseq) == (2, 41)
    assert data.index(b'"mseq":40,') < data.index(b'"mseq":41,')
    assert market_newest(market_of(50), 41, 41, TRADES) == (b"", 0, 41)
    assert market_newest(market_of(50), 0, 41, ACCOUNT) == (b"", 0, 41)
