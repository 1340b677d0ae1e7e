"""What is watched and looked at, and where each market message goes. The clock is the test's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire
from coindcx_feed.feed.books import BookState
from coindcx_feed.feed.candles import READ
from coindcx_feed.feed.desk import DEPTH, INTEREST_S, Desk
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.normalize import Frame, MarketItem, normalize
from coindcx_feed.feed.watchlist import MOST_PAIRS, Watchlist

ETH, BTC, SOL = "B-ETH_USDT", "B-BTC_USDT", "B-SOL_USDT"


class Clock:
    """Monotonic seconds that stand still."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Desk:
    made = _desk(tmp_path, clock)
    made.take_names([BTC, ETH, SOL])
    return made


def _desk(folder: Path, clock: Callable[[], float]) -> Desk:
    return Desk((ETH, BTC), Watchlist(folder, "live"), Marks(), now_s=clock)


def _take(desk: Desk, event: str, **data: Any) -> None:
    (item,) = normalize(Frame(1, event, {"event": event, "data": json.dumps(data)}, 5))
    assert isinstance(item, MarketItem)
    desk.take(event, item, 5)


def _book(desk: Desk, event: str, vs: int, symbol: str = "ETHUSDT") -> None:
    _take(desk, event, ts=1, vs=vs, bids={"10": "1"}, asks={"11": "1"}, pr="futures", s=symbol)


def test_watched_pairs_have_trades_and_prices_and_nothing_dearer(desk: Desk) -> None:
    """Books are the bulk of the traffic, bars come next: they wait until somebody looks."""
    assert desk.channels() == [
        wire.trades_channel(ETH),
        wire.price_channel(ETH),
        wire.trades_channel(BTC),
        wire.price_channel(BTC),
    ]


def test_choice_is_joined_and_remembered(desk: Desk, tmp_path: Path, clock: Clock) -> None:
    """A start later knows it."""
    desk.watch(SOL)
    desk.watch(SOL)
    desk.unwatch(BTC)
    desk.unwatch(BTC)
    assert desk.pairs == (ETH, SOL) == _desk(tmp_path, clock).pairs
    assert wire.trades_channel(SOL) in desk.channels()
    assert wire.trades_channel(BTC) not in desk.channels()


@pytest.mark.parametrize("pair", ["B-NO_USDT", "../x", "<b>", ""])
def test_pair_that_is_not_in_the_list_is_refused(desk: Desk, pair: str) -> None:
    """Nothing is joined or written for a name that the exchange does not have."""
    with pytest.raises(ConfigError, match="expected a pair of the exchange's list"):
        desk.watch(pair)
    assert desk.pairs == (ETH, BTC)


def test_pair_cannot_be_added_before_the_list_is_known(tmp_path: Path, clock: Clock) -> None:
    """One line that says so."""
    with pytest.raises(ConfigError, match="has not been read"):
        _desk(tmp_path, clock).watch(SOL)


def test_number_of_pairs_is_bounded(desk: Desk) -> None:
    """Each costs two channels and a day of marks."""
    names = [f"B-X{number}_USDT" for number in range(MOST_PAIRS)]
    desk.take_names(names)
    for name in names[: MOST_PAIRS - 2]:
        desk.watch(name)
    with pytest.raises(ConfigError, match=f"at most {MOST_PAIRS}"):
        desk.watch(names[-1])


def test_choice_that_cannot_be_kept_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    """What is shown is what a restart would show."""
    (tmp_path / "market-live.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be kept"):
        desk.watch(SOL)
    assert desk.pairs == (ETH, BTC)


def test_book_and_bars_are_joined_while_somebody_looks(desk: Desk, clock: Clock) -> None:
    """A viewer's interest ends some seconds after the last read."""
    assert desk.look_at_book(ETH) is desk.look_at_book(ETH)
    assert desk.look_at_candles(ETH, "3d") is not None
    wanted = [wire.book_channel(ETH, DEPTH), wire.candle_channel(ETH, "3d")]
    assert desk.channels()[-2:] == wanted
    clock.now_s += INTEREST_S - 1
    desk.look_at_book(ETH)
    clock.now_s += 2
    assert desk.channels()[-1:] == wanted[:1]
    clock.now_s += INTEREST_S
    assert len(desk.channels()) == 4
    assert (desk.books, desk.candles) == ({}, {})


def test_removed_pair_is_left_at_once(desk: Desk) -> None:
    """Also its book and bars."""
    desk.look_at_book(ETH)
    desk.look_at_candles(ETH, "1m")
    desk.unwatch(ETH)
    assert [channel for channel in desk.channels() if ETH in channel] == []
    assert (desk.look_at_book(ETH), desk.look_at_candles(ETH, "1m"), desk.books) == (None, None, {})


@pytest.mark.parametrize(("pair", "resolution"), [(SOL, "1m"), (ETH, "7m"), ("x", "1m")])
def test_nothing_is_joined_for_what_is_not_watched_or_not_on_the_wire(desk: Desk, pair: str, resolution: str) -> None:
    """The address of a page may say anything."""
    assert desk.look_at_candles(pair, resolution) is None
    assert len(desk.channels()) == 4


def test_clients_of_the_sidecar_get_books_and_bars_of_all_watched_pairs(desk: Desk) -> None:
    """As before there was a page to look; a bar that a page shows too is joined once."""
    desk.look_at_candles(ETH, "1m")
    found = desk.channels(frozenset({"book", "candle"}))
    assert [channel for channel in found if "orderbook" in channel] == [
        wire.book_channel(ETH, DEPTH),
        wire.book_channel(BTC, DEPTH),
    ]
    assert [channel for channel in found if "_1m-" in channel] == [
        wire.candle_channel(ETH, "1m"),
        wire.candle_channel(BTC, "1m"),
    ]


def test_messages_go_where_they_belong(desk: Desk) -> None:
    """Book frames spell their pair otherwise; what nobody looks at is dropped."""
    book, bars = desk.look_at_book(ETH), desk.look_at_candles(ETH, "1m")
    assert book is not None
    assert bars is not None
    _book(desk, wire.DEPTH_SNAPSHOT_EVENT, 7)
    _book(desk, wire.DEPTH_UPDATE_EVENT, 8)
    _book(desk, wire.DEPTH_SNAPSHOT_EVENT, 90, "BTCUSDT")
    assert (book.view.state, book.view.vs) == (BookState.SYNCED, 8)
    bar = {"open": "1", "high": "1", "low": "1", "close": "1", "volume": "1", "open_time": 60, "pair": ETH}
    _take(desk, wire.CANDLE_EVENT, data=[{**bar, "duration": "1m"}, {**bar, "duration": "5m"}], i="1m", pr="futures")
    assert len(bars.bars()) == 1
    _take(desk, wire.TRADE_EVENT, T=1, p="2941.5", q="0.2", s=ETH, m=1, pr="f")
    _take(desk, wire.TRADE_EVENT, T=1, p="141.5", q="0.2", s=SOL, m=1, pr="f")
    assert [len(tape.newest(9)) for tape in desk.tapes.values()] == [1, 0]
    _take(desk, wire.PRICES_UPDATE_EVENT, prices={ETH: {"ls": 2941.5}}, pr="futures")
    assert list(desk.quotes.row(ETH)) == ["ls"]


def test_lost_connection_makes_books_unsynced_and_asks_for_bars(desk: Desk) -> None:
    """Frames may be missing from now on."""
    book, bars = desk.look_at_book(ETH), desk.look_at_candles(ETH, "1m")
    assert book is not None
    assert bars is not None
    _book(desk, wire.DEPTH_SNAPSHOT_EVENT, 7)
    bars.take_history([], 1)
    desk.lose()
    assert (book.view.state, book.view.bids, bars.wanted) == (BookState.UNSYNCED, (), READ)
