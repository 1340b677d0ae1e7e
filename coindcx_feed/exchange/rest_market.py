"""Public market data over REST. Unknown pairs are answered 200 with something else: noticed here."""

from dataclasses import replace
from typing import Final, Literal

import msgspec

from coindcx_feed.errors import BadReply, RequestRefused, UnknownPair
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.rest import RestReader
from coindcx_feed.exchange.rest_pages import Collector
from coindcx_feed.exchange.rest_records import (
    ConversionRecord,
    InstrumentRecord,
    PricesRecord,
    RestBookRecord,
    RestCandleRecord,
)
from coindcx_feed.exchange.rest_routes import checked_pair
from coindcx_feed.exchange.rest_rows import Kind, Reading, Row, only_row

Currency = Literal["INR", "USDT"]

RESOLUTIONS: Final = {
    "1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "8h": "480", "1d": "1D", "1M": "1M",
}  # fmt: skip
"""The socket's name of a resolution to this read's. The socket's ``3d`` and ``1w`` are refused here."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

CONVERSIONS: Final = Kind("conversions", ConversionRecord, lambda record: record.symbol)
CANDLES: Final = Kind("candles", RestCandleRecord, lambda record: str(record.time))


class MarketReads:
    """Unsigned reads; a reader without credentials will do.

    Threads: the reader's loop.
    """

    def __init__(self, reader: RestReader) -> None:
        self._reader = reader

    async def current_prices(self) -> Row[PricesRecord]:
        """Read mark, last price and funding of every pair. About 126 KB; marks are about two seconds old.

        Raises:
            RestError: If it could not be read, or is not as documented.
        """
        return only_row("current_prices", PricesRecord, await self._reader.read("current_prices"))

    async def book(self, pair: str, depth: Literal[10, 20, 50] = 50) -> Row[RestBookRecord]:
        """Read the order book of a pair.

        Raises:
            UnknownPair: If the exchange answers with the empty book it has for names it does not know.
            RequestRefused: If pair or depth is misspelt; nothing was sent.
            RestError: If it could not be read, or is not as documented.
        """
        checked_pair("book", pair)
        if depth not in wire.DEPTHS:
            raise RequestRefused(f"book: expected a depth of 10, 20 or 50, was {depth}: nothing was sent")
        reply = await self._reader.read("book", pair=pair, depth=str(depth))
        row = only_row("book", RestBookRecord, reply)
        if row.record.ts == 0 and not row.record.asks and not row.record.bids:
            raise UnknownPair(
                f"book: expected the book of {pair}, was an empty one of no time: check the pair's name", 200
            )
        return row

    async def instruments(self, currency: Currency = "USDT") -> list[str]:
        """Read the names of all pairs that can be traded.

        Raises:
            RestError: If it could not be read, or is not as documented.
        """
        reply = await self._reader.read("instruments", query={"margin_currency_short_name[]": currency})
        names = reply.data
        if not isinstance(names, list) or not all(isinstance(name, str) and wire.is_pair(name) for name in names):
            raise BadReply("instruments: expected a list of pairs, was something else", raw=reply.text)
        return names

    async def instrument(self, pair: str, currency: Currency = "USDT") -> Row[InstrumentRecord]:
        """Read a contract's terms.

        Raises:
            UnknownPair: If the exchange answers with another instrument, as it does for names it does not know.
            RequestRefused: If the pair is misspelt; nothing was sent.
            RestError: If it could not be read, or is not as documented.
        """
        checked_pair("instrument", pair)
        reply = await self._reader.read("instrument", query={"pair": pair, "margin_currency_short_name": currency})
        row = only_row("instrument", InstrumentRecord, reply, _inside("instrument", reply.text, "instrument"))
        if row.record.pair != pair:
            raise UnknownPair(f"instrument: expected {pair}, was {row.record.pair}: check the pair's name", 200)
        if row.record.margin_currency_short_name not in (currency, None):
            was = row.record.margin_currency_short_name
            raise BadReply(f"instrument: expected the terms for {currency} margin, was {was}", raw=reply.text)
        return row

    async def candles(self, pair: str, resolution: str, from_ms: int, to_ms: int) -> Reading[RestCandleRecord]:
        """Read the bars of a pair.

        Args:
            resolution: A key of ``RESOLUTIONS``.
            from_ms: Unix ms, as ``to_ms``; the exchange takes whole seconds.
        Raises:
            RequestRefused: If pair or resolution is misspelt; nothing was sent.
            RestError: If it could not be read, or is not as documented.
        """
        checked_pair("candles", pair)
        if resolution not in RESOLUTIONS:
            expected = ", ".join(RESOLUTIONS)
            raise RequestRefused(f"candles: expected one of {expected}, was {resolution!r:.20}: nothing was sent")
        query = {
            "pair": pair,
            "from": str(from_ms // 1000),
            "to": str(-(-to_ms // 1000)),
            "resolution": RESOLUTIONS[resolution],
            "pcode": "f",
        }
        reply = await self._reader.read("candles", query=query)
        collector = Collector(CANDLES)
        collector.add(replace(reply, text=_inside("candles", reply.text, "data")))
        return collector.reading()

    async def conversions(self) -> Reading[ConversionRecord]:
        """Read the internal rates between margin currencies.

        Raises:
            RestError: If they could not be read.
        """
        collector = Collector(CONVERSIONS)
        collector.add(await self._reader.read("conversions"))
        return collector.reading()


def _inside(name: str, text: bytes, field: str) -> bytes:
    try:
        found = _fields(text).get(field)
    except ValueError:
        found = None
    if found is None:
        raise BadReply(f"{name}: expected an object with {field!r}, was something else", raw=text)
    return bytes(found)
