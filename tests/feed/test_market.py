"""The market buffer: numbered, bounded, and forgiving to slow readers."""

import json
import threading

from fakes.frames import rows

from coindcx_feed.feed.market import MarketFeed, MarketMessage
from coindcx_feed.feed.normalize import Frame, MarketItem, normalize


def _item(number: int) -> MarketItem:
    raw = b'{"T":%d,"p":"2900.50","q":"0.010","s":"B-ETH_USDT","pr":"f"}' % number
    (item,) = normalize(Frame(1, "new-trade", {"event": "new-trade", "data": raw.decode()}, 1))
    assert isinstance(item, MarketItem)
    return item


def _filled(count: int, capacity: int = 10_000) -> MarketFeed:
    feed = MarketFeed(capacity)
    for number in range(1, count + 1):
        feed.append(_item(number), 1_790_000_000_123_000_000)
    return feed


def _numbers(messages: list[MarketMessage]) -> list[int]:
    return [message.mseq for message in messages]


def test_envelope_carries_mseq_and_the_exchange_text() -> None:
    """Never ``seq``: market data are replaceable."""
    (message,) = _filled(1).since(0, 10)
    assert (message.type, message.pair) == ("trade", "B-ETH_USDT")
    envelope = json.loads(message.body)
    assert {name: envelope[name] for name in ("timestamp", "type", "mseq", "source")} == {
        "timestamp": "2026-09-21T14:13:20.123Z", "type": "trade", "mseq": 1, "source": "stream",
    }  # fmt: skip
    assert "seq" not in envelope
    assert message.body.endswith(b'"data":' + _item(1).raw + b"}")


def test_every_recorded_market_frame_is_served_as_valid_json() -> None:
    """All four types, in order of arrival."""
    feed = MarketFeed()
    sent = []
    for row in rows("ws/*.jsonl", "scenarios/depth-chain.*"):
        for item in normalize(Frame(1, row["event"], row, 1)):
            if isinstance(item, MarketItem):
                feed.append(item, 1)
                sent.append(json.loads(row["data"]))
    received = [json.loads(message.body) for message in feed.since(0, 1_000)]
    assert [envelope["data"] for envelope in received] == sent
    assert {envelope["type"] for envelope in received} == {"price", "trade", "candle", "book"}


def test_since_returns_what_is_later_oldest_first_up_to_the_limit() -> None:
    """A reader goes on with the last number it got."""
    feed = _filled(10)
    assert _numbers(feed.since(0, 3)) == [1, 2, 3]
    assert _numbers(feed.since(3, 100)) == [4, 5, 6, 7, 8, 9, 10]
    assert feed.since(10, 5) == []
    assert feed.since(99, 5) == []
    assert feed.version == 10


def test_overtaken_reader_goes_on_with_the_oldest_kept() -> None:
    """C8: bounded; conflation is silent for replaceable data."""
    feed = _filled(25, capacity=10)
    assert _numbers(feed.since(3, 4)) == [16, 17, 18, 19]
    assert _numbers(feed.since(20, 100)) == [21, 22, 23, 24, 25]


def test_empty_feed_has_nothing() -> None:
    """Before the first frame."""
    assert (MarketFeed().version, MarketFeed().since(0, 5)) == (0, [])


def test_reader_in_another_thread_sees_ascending_numbers() -> None:
    """One writer, any readers; the buffer wraps meanwhile."""
    feed, item, seen = MarketFeed(100), _item(1), []

    def write() -> None:
        for _ in range(20_000):
            feed.append(item, 1)

    writer = threading.Thread(target=write)
    writer.start()
    cursor = 0
    while cursor < 20_000:
        for message in feed.since(cursor, 50):
            seen.append(message.mseq)
            cursor = message.mseq
    writer.join(10)
    assert seen == sorted(set(seen))
