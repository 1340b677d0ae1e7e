"""What a channel name says, and which channels a frame belongs to. Pure functions, no I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import msgspec

from coindcx_feed.exchange import wire

Kind = Literal["account", "prices", "trades", "price", "book", "candles"]

TWIN_EVENT: Final = "order-update"
"""The spot host's name of an order event; some clients saw futures orders under it too."""

_KIND_OF_EVENT: Final[dict[str, Kind]] = {
    **dict.fromkeys(wire.ACCOUNT_EVENTS, "account"),
    TWIN_EVENT: "account",
    wire.PRICES_UPDATE_EVENT: "prices",
    wire.PRICES_SNAPSHOT_EVENT: "prices",
    wire.TRADE_EVENT: "trades",
    wire.PRICE_EVENT: "price",
    wire.DEPTH_SNAPSHOT_EVENT: "book",
    wire.DEPTH_UPDATE_EVENT: "book",
    wire.CANDLE_EVENT: "candles",
}


class Frame(NamedTuple):
    """A frame the exchange wants to send: when, which event, the text of its ``data``, and the channel it goes to."""

    at_ms: int
    event: str
    data: str
    channel: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A channel name, taken apart.

    Attributes:
        channel: The name as joined.
        kind: Which events it carries.
        pair: ``None`` for the account and the current prices.
        depth: Levels a side; 0 unless a book.
        resolution: ``1m`` and the like; empty unless candles.
    """

    channel: str
    kind: Kind
    pair: str | None = None
    depth: int = 0
    resolution: str = ""


def parse_topic(channel: object) -> Topic | None:
    """Take a channel name apart; ``None`` for a name the exchange ignores: misspelt, depth 30, no ``-futures``."""
    if not isinstance(channel, str):
        return None
    if channel == wire.PRIVATE_CHANNEL:
        return Topic(channel, "account")
    if channel == wire.CURRENT_PRICES_CHANNEL:
        return Topic(channel, "prices")
    pair, separator, rest = channel.partition("@")
    topic = _parse_market(channel, pair, rest) if separator else _parse_candles(channel)
    return topic if topic is not None and wire.is_pair(topic.pair or "") else None


def _parse_market(channel: str, pair: str, rest: str) -> Topic | None:
    if rest == "trades-futures":
        return Topic(channel, "trades", pair)
    if rest == "prices-futures":
        return Topic(channel, "price", pair)
    for depth in wire.DEPTHS:
        if rest == f"orderbook@{depth}-futures":
            return Topic(channel, "book", pair, depth=depth)
    return None


def _parse_candles(channel: str) -> Topic | None:
    pair, _, resolution = channel.removesuffix("-futures").rpartition("_")
    if channel.endswith("-futures") and resolution in wire.RESOLUTIONS:
        return Topic(channel, "candles", pair, resolution=resolution)
    return None


def kind_of(event: str) -> Kind | None:
    """Return the kind of channel that carries an event; ``None`` for an event no channel is known for."""
    return _KIND_OF_EVENT.get(event)


def receivers(event: str, data: object) -> Callable[[Topic], bool]:
    """Return the test that tells whether a joined channel gets a frame.

    A frame that names its channel or pair goes there only; one that names no pair (``price-change``) or no depth (every
    book frame) goes to all channels of its kind that it may belong to. An event of unknown kind goes everywhere.

    Args:
        event: Socket.IO event name.
        data: The envelope's ``data``: JSON text, an object, or text that is no JSON.
    """
    kind = kind_of(event)
    if kind is None:
        return lambda topic: True
    names = _parse_names(data)
    symbol = names.get("s")
    if kind == "candles" and isinstance(names.get("channel"), str):
        return lambda topic: topic.channel == names["channel"]
    if kind == "trades" and isinstance(symbol, str):
        return lambda topic: topic.kind == kind and topic.pair == symbol
    if kind == "book" and isinstance(symbol, str):
        return lambda topic: topic.kind == kind and wire.relay_symbol(topic.pair or "") == symbol
    return lambda topic: topic.kind == kind


def _parse_names(data: object) -> dict[str, Any]:
    if isinstance(data, str):
        try:
            data = msgspec.json.decode(data)
        except (ValueError, RecursionError):
            return {}
    return data if isinstance(data, dict) else {}
