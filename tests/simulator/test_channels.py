"""Public frames at the exchange's pace, for the joined channels only."""

import collections
import itertools
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from simulator.helpers import START_MS, funded_exchange

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.channels import Publisher
from coindcx_feed.simulator.topics import Frame, Topic, parse_topic

MINUTE_LATER = START_MS + 60_000


def topic(name: str) -> Topic:
    parsed = parse_topic(name)
    assert parsed is not None
    return parsed


def run(*names: str, to_ms: int = MINUTE_LATER, step_ms: int = 100) -> list[Frame]:
    """Publish for these channels in steps of the server's tick."""
    publisher = Publisher(funded_exchange())
    topics = {topic(name) for name in names}
    return [
        frame for at_ms in range(START_MS + step_ms, to_ms + 1, step_ms) for frame in publisher.advance(at_ms, topics)
    ]


def parsed(frame: Frame) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.json.decode(frame.data)
    return data


def sides(data: dict[str, Any]) -> dict[str, dict[D, D]]:
    return {side: {D(p): D(q) for p, q in data[side].items()} for side in ("asks", "bids")}


def trimmed(book: dict[str, dict[D, D]], depth: int) -> dict[str, dict[D, D]]:
    best = {"asks": sorted(book["asks"])[:depth], "bids": sorted(book["bids"], reverse=True)[:depth]}
    return {side: {price: book[side][price] for price in prices} for side, prices in best.items()}


def test_nothing_is_published_for_nobody() -> None:
    """No joined channel, or only the private one: no public frame."""
    assert run() == []
    assert run(wire.PRIVATE_CHANNEL, to_ms=START_MS + 5_000) == []


@pytest.mark.parametrize("depth", wire.DEPTHS)
def test_book_stream_can_be_followed(depth: Any) -> None:
    """``vs`` +1 per frame, both kinds, at most two frames a second; what a client keeps is the book of that moment."""
    books = funded_exchange().books
    instrument = funded_exchange().instrument("B-ETH_USDT")
    frames = run(wire.book_channel("B-ETH_USDT", depth))
    assert {frame.event for frame in frames} == {wire.DEPTH_SNAPSHOT_EVENT, wire.DEPTH_UPDATE_EVENT}
    assert 60 < len(frames) <= 120
    versions = [parsed(frame)["vs"] for frame in frames]
    assert versions == list(range(versions[0], versions[0] + len(versions)))
    assert all(b.at_ms - a.at_ms >= 500 for a, b in itertools.pairwise(frames))
    book: dict[str, dict[D, D]] = {}
    for frame in frames:
        data = parsed(frame)
        assert (data["s"], data["pr"], data["type"]) == ("ETHUSDT", "futures", frame.event)
        if frame.event == wire.DEPTH_SNAPSHOT_EVENT:
            assert "E" not in data
            assert {len(data["asks"]), len(data["bids"])} == {depth}
            book = sides(data)
        else:
            assert data["E"] < data["ts"] == data["pts"]
            for side, levels in sides(data).items():
                book[side].update(levels)
                book[side] = {price: size for price, size in book[side].items() if size}
            book = trimmed(book, depth)
        now = books.book("B-ETH_USDT", frame.at_ms, depth)
        for side, shown in (("asks", now.asks), ("bids", now.bids)):
            assert book[side] == {instrument.price(tick): instrument.quantity(lots) for tick, lots in shown}


def test_some_updates_mention_levels_outside_the_window() -> None:
    """A client that does not trim ends up with too many levels."""
    book: dict[str, dict[D, D]] = {}
    excess = 0
    for frame in run(wire.book_channel("B-BTC_USDT", 10)):
        changed = sides(parsed(frame))
        if frame.event == wire.DEPTH_SNAPSHOT_EVENT:
            book = changed
        for side in changed:
            book[side] = {p: q for p, q in (book[side] | changed[side]).items() if q}
            excess += len(book[side]) > 10
    assert excess > 0


def test_rest_book_equals_the_stream_after_its_version() -> None:
    """Seed from REST with version V, then apply V + 1; asking does not disturb the stream."""
    publisher = Publisher(funded_exchange())
    topics = {topic(wire.book_channel("B-ETH_USDT", 10))}
    first = publisher.book_reply("B-ETH_USDT", 10, START_MS)
    frames = publisher.advance(START_MS + 700, topics)
    assert parsed(frames[0])["vs"] == first["vs"] + 1
    assert frames[0].event == wire.DEPTH_UPDATE_EVENT
    between = publisher.book_reply("B-ETH_USDT", 10, START_MS + 900)
    later = publisher.advance(START_MS + 20_000, topics)
    assert between["vs"] == parsed(frames[-1])["vs"]
    assert parsed(later[0])["vs"] == between["vs"] + 1


def test_two_depths_are_counted_apart() -> None:
    """Interleaved streams with the same symbol, told apart by ``vs``."""
    frames = run(wire.book_channel("B-ETH_USDT", 10), wire.book_channel("B-ETH_USDT", 50))
    by_channel = collections.defaultdict(list)
    for frame in frames:
        by_channel[frame.channel].append(parsed(frame)["vs"])
    first, second = by_channel.values()
    assert not set(first) & set(second)


def test_prices_pace() -> None:
    """2.5 updates a second and a snapshot every 15 s."""
    frames = run(wire.CURRENT_PRICES_CHANNEL)
    counts = collections.Counter(frame.event for frame in frames)
    assert counts == {wire.PRICES_UPDATE_EVENT: 150, wire.PRICES_SNAPSHOT_EVENT: 4}


def test_trades_and_price_changes() -> None:
    """Texts for price and quantity, 0/1 for the aggressor; a price change names no pair and is rarer."""
    trades = run(wire.trades_channel("B-BTC_USDT"))
    changes = run(wire.price_channel("B-BTC_USDT"))
    assert 150 < len(trades) < 1_000
    assert 0 < len(changes) < len(trades)
    data = parsed(trades[0])
    assert list(data) == ["T", "RT", "p", "q", "m", "s", "pr"]
    assert (data["s"], data["pr"], data["m"] in (0, 1)) == ("B-BTC_USDT", "f", True)
    assert data["RT"] > data["T"] == trades[0].at_ms
    assert {frame.at_ms for frame in changes} <= {frame.at_ms for frame in trades}
    assert set(parsed(changes[0])) == {"T", "p", "pr"}
    assert all(parsed(a)["p"] != parsed(b)["p"] for a, b in itertools.pairwise(changes))


def test_candles_pace_and_channel() -> None:
    """Two a second; the payload names its channel."""
    frames = run(wire.candle_channel("B-SOL_USDT", "1m"), to_ms=START_MS + 10_000)
    assert len(frames) == 20
    assert {parsed(frame)["channel"] for frame in frames} == {"B-SOL_USDT_1m-futures"}


def test_frames_come_in_order_of_time() -> None:
    """Across kinds, also in one large step."""
    frames = run(wire.CURRENT_PRICES_CHANNEL, wire.trades_channel("B-BTC_USDT"), to_ms=START_MS + 9_000, step_ms=9_000)
    assert [frame.at_ms for frame in frames] == sorted(frame.at_ms for frame in frames)


def test_long_pause_is_not_made_up() -> None:
    """After an hour only the last seconds are published; time in the past gives nothing."""
    publisher = Publisher(funded_exchange())
    topics = {topic(wire.CURRENT_PRICES_CHANNEL)}
    frames = publisher.advance(START_MS + 3_600_000, topics)
    assert 20 < len(frames) < 30
    assert publisher.advance(START_MS, topics) == []
