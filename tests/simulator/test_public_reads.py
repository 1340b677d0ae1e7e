"""Public REST: captured shapes and the 200s for unknown pairs."""

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from simulator.helpers import FIXTURES, START_MS, call

from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.server import ExchangeServer

DATA = "/exchange/v1/derivatives/futures/data"
NOW_S = START_MS // 1_000


async def read(server: ExchangeServer, path: str) -> Any:
    status, body, _ = await call(server, "GET", path)
    assert status == 200
    return body


def fixture(name: str) -> Any:
    return msgspec.json.decode((FIXTURES / "rest" / f"{name}.json").read_bytes())


async def test_current_prices_have_all_fields(live_server: ExchangeServer, exchange: Exchange) -> None:
    """Outer keys and the fourteen inner ones of the documented reply."""
    body = await read(live_server, "/market_data/v3/current_prices/futures/rt")
    expected = fixture("current_prices.docs")
    assert list(body) == list(expected)
    assert set(body["prices"]["B-ETH_USDT"]) == set(expected["prices"]["B-NTRN_USDT"])
    assert set(exchange.pairs) < set(body["prices"])


@pytest.mark.parametrize("depth", [10, 20, 50])
async def test_book(live_server: ExchangeServer, depth: int) -> None:
    """The depth asked for, texts on both sides."""
    body = await read(live_server, f"/market_data/v3/orderbook/B-ETH_USDT-futures/{depth}")
    assert list(body) == ["ts", "vs", "asks", "bids"]
    assert len(body["asks"]) == len(body["bids"]) == depth
    assert max(map(D, body["bids"])) < min(map(D, body["asks"]))


@pytest.mark.parametrize("name", ["B-NOPE_USDT-futures/10", "B-ETH_USDT-futures/30", "B-ETH_USDT/10"])
async def test_unknown_book_is_200_and_empty(live_server: ExchangeServer, name: str) -> None:
    """The captured reply."""
    body = await read(live_server, f"/market_data/v3/orderbook/{name}")
    assert body == fixture("public_orderbook.unknown-pair.captured")


async def test_public_trades_and_the_unknown_pair(live_server: ExchangeServer) -> None:
    """Numbers, newest first; an unknown pair gets another pair's trades."""
    rows = await read(live_server, f"{DATA}/trades?pair=B-BTC_USDT")
    assert set(rows[0]) == set(fixture("public_trades.docs")[0])
    assert rows[0]["timestamp"] >= rows[-1]["timestamp"]
    assert float(rows[0]["price"]) > 50_000
    other = await read(live_server, f"{DATA}/trades?pair=B-NOPE_USDT")
    assert float(other[0]["price"]) < 1


async def test_instrument_and_the_unknown_pair(live_server: ExchangeServer, exchange: Exchange) -> None:
    """The caller has to look at the pair."""
    body = await read(live_server, f"{DATA}/instrument?pair=B-SOL_USDT&margin_currency_short_name=INR")
    text = (FIXTURES / "rest" / "instrument.B-SOL_USDT.INR.captured.json").read_bytes()
    assert body == msgspec.json.Decoder(float_hook=D).decode(text)
    other = await read(live_server, f"{DATA}/instrument?pair=B-NOPE_USDT")
    assert other["instrument"]["pair"] == exchange.pairs[-1]


async def test_instruments_are_the_same_for_both_currencies(live_server: ExchangeServer, exchange: Exchange) -> None:
    """A bare array of names."""
    for query in ("", "?margin_currency_short_name[]=USDT", "?margin_currency_short_name[]=INR"):
        assert await read(live_server, f"{DATA}/active_instruments{query}") == exchange.pairs
    assert await read(live_server, f"{DATA}/active_instruments?margin_currency_short_name[]=EUR") == []


async def test_conversions_are_the_captured_peg(live_server: ExchangeServer) -> None:
    """102.0, in Ruby's style."""
    status, body, text = await call(live_server, "GET", "/api/v1/derivatives/futures/data/conversions")
    assert (status, body) == (200, fixture("conversions.captured"))
    assert '"conversion_price":102.0' in text


async def test_stats(live_server: ExchangeServer) -> None:
    """The keys of the captured reply; only the day is known."""
    body = await read(live_server, "/api/v1/derivatives/futures/data/stats?pair=B-BTC_USDT")
    assert set(body) == set(fixture("pair_stats.captured"))
    assert body["high_and_low"]["1D"]["l"] < body["high_and_low"]["1D"]["h"]


async def test_candles(live_server: ExchangeServer) -> None:
    """Seconds in, milliseconds out, oldest first; nothing before the exchange's fourteen days."""
    query = f"pair=B-BTC_USDT&from={NOW_S - 3600}&to={NOW_S}&resolution=5&pcode=f"
    body = await read(live_server, f"/market_data/candlesticks?{query}")
    assert body["s"] == "ok"
    assert list(body["data"][0]) == list(fixture("public_candlesticks.docs")["data"][0])
    times = [row["time"] for row in body["data"]]
    assert times == list(range(times[0], times[-1] + 1, 300_000))
    assert len(times) in (11, 12, 13)
    long_ago = f"pair=B-BTC_USDT&from=1&to={NOW_S}&resolution=1D&pcode=f"
    assert len((await read(live_server, f"/market_data/candlesticks?{long_ago}"))["data"]) in (13, 14)


@pytest.mark.parametrize(
    "query",
    [
        "pair=B-BTC_USDT&resolution=5&pcode=f",
        "pair=B-BTC_USDT&from=1&to=2&resolution=3&pcode=f",
        "pair=B-BTC_USDT&from=1&to=2&resolution=1W&pcode=f",
        "pair=B-BTC_USDT&from=1&to=2&resolution=5",
        "pair=B-NOPE_USDT&from=1&to=2&resolution=5&pcode=f",
        "pair=B-BTC_USDT&from=-1&to=2&resolution=5&pcode=f",
        "pair=B-BTC_USDT&from=1&to=99999999999999&resolution=5&pcode=f",
    ],
)
async def test_bad_candle_requests(live_server: ExchangeServer, query: str) -> None:
    """The captured 400, which has no ``status`` field."""
    captured = next(row for row in fixture("errors.captured") if row["case"] == "from/to omitted")
    status, body, _ = await call(live_server, "GET", f"/market_data/candlesticks?{query}")
    assert (status, body) == (400, captured["body"])
