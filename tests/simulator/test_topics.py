"""Channel names taken apart, and the channels a frame belongs to."""

import pytest

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.topics import Topic, kind_of, parse_topic, receivers

NAMES = [
    "coindcx",
    "currentPrices@futures@rt",
    "B-BTC_USDT@trades-futures",
    "B-ETH_USDT@trades-futures",
    "B-BTC_USDT@prices-futures",
    "B-ETH_USDT@prices-futures",
    "B-ETH_USDT@orderbook@10-futures",
    "B-ETH_USDT@orderbook@50-futures",
    "B-BTC_USDT@orderbook@10-futures",
    "B-BTC_USDT_1m-futures",
    "B-BTC_USDT_1M-futures",
]


def reached(event: str, data: object) -> list[str]:
    belongs = receivers(event, data)
    topics = [parse_topic(name) for name in NAMES]
    return [topic.channel for topic in topics if topic is not None and belongs(topic)]


def test_every_built_name_is_parsed_back() -> None:
    """Names built by the wire module come back with pair, depth and resolution."""
    assert parse_topic(wire.book_channel("B-ETH_USDT", 20)) == Topic(
        "B-ETH_USDT@orderbook@20-futures", "book", "B-ETH_USDT", depth=20
    )
    for resolution in wire.RESOLUTIONS:
        topic = parse_topic(wire.candle_channel("B-BTC_USDT", resolution))
        assert topic is not None
        assert (topic.kind, topic.pair, topic.resolution) == ("candles", "B-BTC_USDT", resolution)


@pytest.mark.parametrize("name", [None, 7, "", "@", "_-futures", "B-BTC_USDT", "b-btc_usdt@trades-futures"])
def test_other_names_are_none(name: object) -> None:
    """What is no channel is ignored, whatever its type."""
    assert parse_topic(name) is None


@pytest.mark.parametrize(
    ("event", "data", "channels"),
    [
        (wire.TRADE_EVENT, '{"s":"B-BTC_USDT"}', ["B-BTC_USDT@trades-futures"]),
        (wire.TRADE_EVENT, "no json", ["B-BTC_USDT@trades-futures", "B-ETH_USDT@trades-futures"]),
        (wire.PRICE_EVENT, '{"p":"1"}', ["B-BTC_USDT@prices-futures", "B-ETH_USDT@prices-futures"]),
        (
            wire.DEPTH_UPDATE_EVENT,
            {"s": "ETHUSDT"},
            ["B-ETH_USDT@orderbook@10-futures", "B-ETH_USDT@orderbook@50-futures"],
        ),
        (wire.DEPTH_SNAPSHOT_EVENT, "{}", [name for name in NAMES if "orderbook" in name]),
        (wire.CANDLE_EVENT, '{"channel":"B-BTC_USDT_1m-futures"}', ["B-BTC_USDT_1m-futures"]),
        (wire.CANDLE_EVENT, "[]", ["B-BTC_USDT_1m-futures", "B-BTC_USDT_1M-futures"]),
        (wire.PRICES_SNAPSHOT_EVENT, "{}", ["currentPrices@futures@rt"]),
        (wire.BALANCE_EVENT, "[]", ["coindcx"]),
        ("never-heard-of", "{}", NAMES),
    ],
)
def test_frame_reaches_the_channels_it_names(event: str, data: object, channels: list[str]) -> None:
    """A frame without pair or depth reaches all channels of its kind."""
    assert reached(event, data) == channels


def test_kind_of_an_unknown_event_is_none() -> None:
    """Unknown events have no channel of their own."""
    assert kind_of("never-heard-of") is None
    assert kind_of(wire.ORDER_EVENT) == "account"
