"""Public market data over REST, with the surprises of the real one: unknown pairs are answered 200."""

from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.candles import REST_RESOLUTIONS, rest_candle
from coindcx_feed.simulator.margin import INR_PEG
from coindcx_feed.simulator.market import MINUTE_MS
from coindcx_feed.simulator.orders import CURRENCIES, Refusal
from coindcx_feed.simulator.requests import Live

# Candles reach back this far; what lies before was never traded here.
HISTORY_MINUTES: Final = 14 * 1440
# The peg has been what it is since this moment.
_PEG_SINCE_MS: Final = 1_779_797_515_701
_TRADES_SHOWN: Final = 50
_TRADES_WINDOW_MS: Final = 60_000


class CandleRefusal(Refusal):
    """The candles' own error, which has no ``status`` field on the real host either."""


class PublicReads:
    """Replies as Python values; numbers are ``Decimal``."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def current_prices(self, _request: web.Request) -> object:
        """Return all fourteen fields of every pair."""
        snapshot = self._live.publisher.prices.snapshot(self._now_ms)
        return {"ts": snapshot["ts"], "vs": snapshot["vs"], "prices": snapshot["prices"]}

    def book(self, request: web.Request) -> object:
        """Return a book; an unknown pair or depth is 200 with an empty one, as captured."""
        name, depth = request.match_info["name"], request.match_info["depth"]
        pair = name.removesuffix("-futures")
        is_known = name.endswith("-futures") and pair in self._live.exchange.pairs
        if not is_known or depth not in map(str, wire.DEPTHS):
            return {"ts": 0, "vs": 0, "asks": {}, "bids": {}}
        return self._live.publisher.book_reply(pair, int(depth), self._now_ms)

    def trades(self, request: web.Request) -> object:
        """Return recent public trades, newest first; an unknown pair gets another pair's, as observed."""
        pair = self._known_or_last(request.query.get("pair"))
        market = self._live.exchange.market
        instrument = market.instruments[pair]
        recent = market.trades(pair, self._now_ms - _TRADES_WINDOW_MS, self._now_ms)[-_TRADES_SHOWN:]
        return [
            {
                "price": instrument.price(trade.tick),
                "quantity": instrument.quantity(trade.lots),
                "timestamp": trade.at_ms,
                "is_maker": trade.buyer_is_maker,
            }
            for trade in reversed(recent)
        ]

    def candles(self, request: web.Request) -> object:
        """Return candles of ``from`` to ``to`` (seconds), oldest first; their times are milliseconds."""
        query = request.query
        resolution = REST_RESOLUTIONS.get(query.get("resolution", ""))
        pair, start, end = query.get("pair", ""), query.get("from", ""), query.get("to", "")
        is_numeric = all(text.isascii() and text.isdigit() and len(text) < 12 for text in (start, end))
        if resolution is None or query.get("pcode") != "f" or pair not in self._live.exchange.pairs or not is_numeric:
            raise CandleRefusal(400, "Invalid Request.")
        now = self._now_ms // MINUTE_MS
        first, last = max(int(start) // 60, now - HISTORY_MINUTES), min(int(end) // 60, now)
        candles = self._live.publisher.candles.finished(pair, resolution, first, last)
        return {"s": "ok", "data": [rest_candle(self._live.exchange.market, pair, candle) for candle in candles]}

    def instruments(self, request: web.Request) -> object:
        """Return the names of the pairs; the same list for both margin currencies."""
        asked = request.query.getall("margin_currency_short_name[]", ["USDT"])
        return self._live.exchange.pairs if any(name in CURRENCIES for name in asked) else []

    def instrument(self, request: web.Request) -> object:
        """Return a contract; an unknown pair gets another one's, as observed."""
        pair = self._known_or_last(request.query.get("pair"))
        currency = request.query.get("margin_currency_short_name", "USDT")
        record: dict[str, Any] = self._live.exchange.market.instruments[pair].record
        return {"instrument": record | {"margin_currency_short_name": currency}}

    def conversions(self, _request: web.Request) -> object:
        """Return the peg between USDT and INR."""
        return [
            {
                "symbol": "USDTINR",
                "margin_currency_short_name": "INR",
                "target_currency_short_name": "USDT",
                "conversion_price": INR_PEG,
                "last_updated_at": _PEG_SINCE_MS,
            }
        ]

    def stats(self, request: web.Request) -> object:
        """Return a pair's change and range of the day; the longer periods of the real reply are left out."""
        pair = self._known_or_last(request.query.get("pair"))
        row = self._live.publisher.prices.row(pair, self._now_ms)
        half = Decimal(50)
        return {
            "price_change_percent": {"1D": row["pc"]},
            "high_and_low": {"1D": {"h": row["h"], "l": row["l"]}},
            "position": {
                "count_percent": {"long": half, "short": half},
                "value_percent": {"long": half, "short": half},
            },
        }

    @property
    def _now_ms(self) -> int:
        return self._live.exchange.now_ms

    def _known_or_last(self, pair: str | None) -> str:
        pairs = self._live.exchange.pairs
        return pair if pair in pairs else pairs[-1]
