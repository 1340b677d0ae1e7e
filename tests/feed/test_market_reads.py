"""Channels and reads of the Market page against the whole simulated exchange, over real sockets."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.waiting import eventually
from faults.worlds import World, world

from coindcx_feed.exchange import wire
from coindcx_feed.feed import desk as desks
from coindcx_feed.feed.desk import DEPTH

ETH, XRP = "B-ETH_USDT", "B-XRP_USDT"


def _calls(there: World, part: str) -> int:
    return sum(part in call.path for call in there.exchange.rest_calls)


def _state(there: World, pair: str = ETH) -> Any:
    book = there.service.market.book(pair)
    assert book is not None
    return book["state"]


async def _named(there: World) -> None:
    await eventually(lambda: there.service.market.names()["names"])


async def test_pair_is_added_live_and_stays_after_a_reconnect(tmp_path: Path) -> None:
    """Joined within a moment, its figures are read, and the next session joins it again."""
    async with world(tmp_path) as there:
        await _named(there)
        joined = there.exchange.hub.joined
        assert not joined(wire.trades_channel(XRP))
        assert there.service.watch_pair(XRP) == {"ok": True, "message": ""}
        await eventually(lambda: joined(wire.trades_channel(XRP)))

        def row() -> dict[str, Any]:
            found: dict[str, Any] = there.service.market.quotes()["rows"][-1]
            return found

        await eventually(lambda: row()["funding_ms"] and row()["high"] and row()["last"] and row()["mark"])
        assert (row()["pair"], row()["is_listed"], row()["funding_hours"]) == (XRP, True, 8)
        assert there.service.status()["pairs"][-1] == XRP
        connects = there.service.status()["counters"]["connects"]
        await there.exchange.kick()
        await eventually(lambda: there.service.status()["counters"]["connects"] > connects)
        await eventually(lambda: joined(wire.trades_channel(XRP)))
        there.service.unwatch_pair(XRP)
        await eventually(lambda: not joined(wire.trades_channel(XRP)))
        assert not there.service.watch_pair("B-NO_USDT")["ok"]
    async with world(tmp_path) as there:
        assert there.service.status()["pairs"] == ["B-BTC_USDT", ETH, "B-SOL_USDT"]


async def test_book_equals_the_exchanges_and_is_left_when_nobody_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joined with the first read; every level is the one of the REST book with the same number."""
    monkeypatch.setattr(desks, "INTEREST_S", 1.0)
    async with world(tmp_path) as there:
        channel = wire.book_channel(ETH, DEPTH)
        assert not there.exchange.hub.joined(channel)
        await eventually(lambda: _state(there) == "synced")
        assert there.exchange.hub.joined(channel)
        same = 0
        async with aiohttp.ClientSession() as http:
            for _ in range(60):
                async with http.get(f"{there.exchange.url}/market_data/v3/orderbook/{ETH}-futures/{DEPTH}") as reply:
                    rest = await reply.json()
                book = there.service.market.book(ETH)
                assert book is not None
                if book["state"] == "synced" and book["vs"] == rest["vs"]:
                    same += 1
                    assert {float(row["price"]): float(row["size"]) for row in book["bids"]} == {
                        float(price): float(size) for price, size in rest["bids"].items()
                    }
                if same >= 3:
                    break
                await asyncio.sleep(0.1)
        assert same >= 3
        await eventually(lambda: not there.exchange.hub.joined(channel))
        assert there.runtime.desk.books == {}


async def test_gap_in_the_book_is_seeded_from_rest(tmp_path: Path) -> None:
    """An update that does not follow: nothing is shown, the book is read, and the stream goes on from there."""
    async with world(tmp_path) as there:
        await eventually(lambda: _state(there) == "synced")
        book = there.runtime.desk.books[ETH]
        before, calls = book.view.vs, _calls(there, "/orderbook/")
        data = {"ts": 1, "vs": before + 3, "asks": {}, "bids": {}, "pr": "futures", "s": "ETHUSDT"}
        await there.exchange.emit(wire.DEPTH_UPDATE_EVENT, data)
        there.exchange.muted = True  # a full book of the stream would end the doubt sooner than a read
        await eventually(lambda: book.gaps == 1)
        await eventually(lambda: _state(there) == "synced" and book.view.vs >= before + 2)
        assert calls < _calls(there, "/orderbook/") <= calls + 4
        there.exchange.muted = False
        await eventually(lambda: _state(there) == "synced" and book.view.vs > before + 8)


async def test_book_whose_stream_says_nothing_is_read(tmp_path: Path) -> None:
    """A quiet pair may be silent for a minute: the ladder does not wait for it. A failed read is tried again."""
    async with world(tmp_path) as there:
        await _named(there)
        there.exchange.fail_rest("error", 1, "/orderbook/")
        there.exchange.muted = True
        await eventually(lambda: _state(there) == "synced")
        assert 2 <= _calls(there, "/orderbook/") <= 4
        there.exchange.muted = False


async def test_bars_are_read_once_and_then_live(tmp_path: Path) -> None:
    """History first; the running bar moves with the stream, and no bar is read twice a second."""
    async with world(tmp_path) as there:

        def bars(resolution: str = "1m") -> dict[str, Any]:
            found = there.service.market.candles(ETH, resolution)
            assert found is not None
            return found

        await eventually(lambda: bars()["is_whole"] and bars()["is_fresh"])
        assert len(bars()["t_ms"]) >= 300
        volume = bars()["volume"].sum()
        await eventually(lambda: bars()["volume"].sum() != volume)
        assert _calls(there, "/candlesticks") <= 2
        await eventually(lambda: bars("1w")["is_fresh"] and len(bars("1w")["t_ms"]) >= 2)
        assert bars("1w")["is_made_of_days"]


async def test_history_that_cannot_be_read_says_so_and_comes_later(tmp_path: Path) -> None:
    """The live bar is shown meanwhile."""
    async with world(tmp_path) as there:
        await _named(there)
        there.exchange.fail_rest("error", 1, "/candlesticks")

        def bars() -> dict[str, Any]:
            found = there.service.market.candles(ETH, "1m")
            assert found is not None
            return found

        await eventually(lambda: bars()["error"])
        await eventually(lambda: bars()["error"] is None and len(bars()["t_ms"]) >= 300)


async def test_client_of_the_sidecar_that_reads_books_gets_them(tmp_path: Path) -> None:
    """Without a page; they are left when it has gone."""
    async with world(tmp_path) as there, aiohttp.ClientSession() as http:
        await eventually(lambda: there.is_watched)
        url = f"ws://127.0.0.1:{there.runtime.sidecar.port}/api/v1/ws/coindcx?types=book,candle"
        async with http.ws_connect(url) as client:
            kinds: Counter[str] = Counter()
            while not (kinds["book"] and kinds["candle"]):
                kinds[(await client.receive_json(timeout=10))["type"]] += 1
        await eventually(lambda: not there.exchange.hub.joined(wire.book_channel(ETH, DEPTH)))


async def test_market_data_never_touch_the_accounts_ring(tmp_path: Path) -> None:
    """Watching, looking and leaving add no event, and fill no quarantine."""
    async with world(tmp_path) as there:
        await eventually(lambda: there.is_watched and there.runtime.recovery is not None)
        await eventually(lambda: _state(there) == "synced")
        there.service.unwatch_pair(ETH)
        await eventually(lambda: not there.exchange.hub.joined(wire.book_channel(ETH, DEPTH)))
        assert {event["type"] for event in there.events()} <= {"system", "balance", "ledger"}
        assert there.service.status()["counters"]["quarantined"] == 0
