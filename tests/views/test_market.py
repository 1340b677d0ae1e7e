"""Market data as pages see them: plain, exact, with ages."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from fakes.plain import is_plain

from coindcx_feed.exchange.records import CandleBar, CurrentPricesRecord, TradeRecord
from coindcx_feed.feed.books import Book, BookFrame, BookView
from coindcx_feed.feed.candles import Candles
from coindcx_feed.feed.desk import Contract, Desk
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.quotes import FIELDS
from coindcx_feed.feed.watchlist import Watchlist
from coindcx_feed.views import market

ETH, BTC = "B-ETH_USDT", "B-BTC_USDT"
START_NS = 1_790_000_000 * 10**9
SECOND = 10**9
CONTRACT = Contract(Decimal("0.01"), Decimal("0.001"), 8)


@pytest.fixture
def marks() -> Marks:
    return Marks()


@pytest.fixture
def desk(tmp_path: Path, marks: Marks) -> Desk:
    return Desk((ETH, BTC), Watchlist(tmp_path, "live"), marks)


def _view(received_ns: int = START_NS) -> BookView:
    book = Book(20)
    bids, asks = {"2941.5": "1", "2941.4": "0.5"}, {"2941.6": "2", "2942": "1.25"}
    book.apply(BookFrame(True, 7, bids, asks, 1_790_000_000_000, received_ns))
    return book.view


def test_quote_has_every_figure_with_its_own_age(desk: Desk, marks: Marks) -> None:
    """Text as the exchange's; a pair that nothing is known of has no figure and no zero."""
    prices = {ETH: dict.fromkeys(FIELDS, Decimal("0.0001")) | {"ls": Decimal("2941.80"), "pc": Decimal("-0.42")}}
    desk.quotes.update(prices, START_NS)
    desk.quotes.update({ETH: {"mp": Decimal("2941.5")}}, START_NS + 9 * SECOND)
    desk.contracts[ETH] = CONTRACT
    desk.take_names([ETH])
    eth, btc = market.quotes(desk, marks, START_NS + 11 * SECOND)
    assert is_plain(eth)
    assert is_plain(btc)
    assert (eth["base"], eth["quote"], eth["last"], eth["mark"]) == ("ETH", "USDT", "2941.80", "2941.5")
    assert (eth["last_age_s"], eth["mark_age_s"], eth["is_fresh"]) == (11.0, 2.0, False)
    assert (eth["change_percent"], eth["funding_rate"], eth["index"]) == ("-0.42", "0.0001", None)
    assert (eth["is_listed"], btc["is_listed"]) == (True, False)
    assert [btc[name] for name in ("last", "last_age_s", "mark", "volume", "funding_ms")] == [None] * 5


def test_price_keeps_the_decimals_of_its_tick(desk: Desk, marks: Marks) -> None:
    """118.30 is not 118.3: a price that ends in 0 would make its line jump; an unknown tick adds nothing."""
    desk.quotes.update({ETH: {"ls": Decimal("118.3"), "h": Decimal(120), "l": Decimal("115.7849")}}, START_NS)
    names = ("last", "high", "low")
    (before,) = (quote for quote in market.quotes(desk, marks, START_NS) if quote["pair"] == ETH)
    assert [before[name] for name in names] == ["118.3", "120", "115.7849"]
    desk.contracts[ETH] = CONTRACT
    (after,) = (quote for quote in market.quotes(desk, marks, START_NS) if quote["pair"] == ETH)
    assert [after[name] for name in names] == ["118.30", "120.00", "115.7849"]


def test_next_funding_is_the_next_multiple_of_the_contracts_hours(desk: Desk, marks: Marks) -> None:
    """Computed: nothing on the wire says it."""
    desk.contracts[ETH] = CONTRACT
    at_ms = market.quotes(desk, marks, START_NS)[0]["funding_ms"]
    assert at_ms % (8 * 3_600_000) == 0
    assert 0 < at_ms - START_NS // 10**6 <= 8 * 3_600_000


def test_list_that_is_not_read_yet_calls_nothing_unlisted(desk: Desk, marks: Marks) -> None:
    """Unknown is not no."""
    assert market.quotes(desk, marks, START_NS)[0]["is_listed"] is None


def test_sparkline_ends_with_the_newest_mark_and_breaks_where_none_came(desk: Desk, marks: Marks) -> None:
    """A quarter of an hour on less than a hundred points."""
    for second in [*range(400), *range(500, 900)]:
        frame = CurrentPricesRecord(pr="futures", prices={ETH: {"mp": Decimal(2_900 + second)}})
        marks.update(frame, START_NS + second * SECOND, ())
    spark = market.quotes(desk, marks, START_NS + 899 * SECOND)[0]["spark"]
    assert len(spark["t_ms"]) <= market.SPARK_POINTS + 2
    assert spark["price"][-1] == 2_900 + 899
    assert np.isnan(spark["price"]).sum() == 1
    assert np.all(np.diff(spark["t_ms"]) > 0)


def test_ladder_cumulates_sizes_with_the_contracts_decimals() -> None:
    """Best levels first, exact text."""
    book = market.book(_view(), CONTRACT, START_NS + SECOND // 2)
    assert is_plain(book)
    assert (book["state"], book["vs"], book["age_s"]) == ("synced", 7, 0.5)
    assert [(row["price"], row["size"], row["total"]) for row in book["asks"]] == [
        ("2941.60", "2.000", "2.000"),
        ("2942.00", "1.250", "3.250"),
    ]
    assert (book["spread"], book["middle"]) == ("0.1", "2941.55")
    assert book["bid_depth"]["total"].tolist() == [1.0, 1.5]
    assert book["bid_share"] == pytest.approx(1.5 / 4.75)


def test_digits_beyond_the_step_are_kept() -> None:
    """A contract that is not known, or is wrong, cuts nothing."""
    assert market.book(_view(), None, START_NS)["bids"][1]["size"] == "0.5"
    coarse = Contract(Decimal(1), Decimal(1), None)
    assert market.book(_view(), coarse, START_NS)["bids"][1]["size"] == "0.5"


def test_book_without_a_frame_for_a_while_is_old() -> None:
    """It may be right; nothing has said so lately."""
    age_s = market.BOOK_FRESH_S + 1
    assert market.book(_view(), CONTRACT, START_NS + int(age_s * SECOND))["state"] == "old"


def test_unsynced_book_has_a_reason_and_no_levels() -> None:
    """It never shows itself as good."""
    book = Book(20)
    assert market.book(book.view, None, START_NS)["state"] == "waiting"
    book.apply(BookFrame(True, 7, {"1": "1"}, {"2": "1"}, 1, START_NS))
    book.apply(BookFrame(False, 9, {"1": "1"}, {}, 1, START_NS))
    shown = market.book(book.view, None, START_NS)
    assert (shown["state"], shown["reason"]) == ("unsynced", "expected update 8, was 9")
    assert (shown["bids"], shown["asks"], shown["spread"], shown["bid_share"]) == ([], [], None, None)


def test_bars_are_arrays_with_the_newest_as_text() -> None:
    """Pixels need no more than floats; figures do."""
    found = Candles("5m")
    empty = market.candles(found, None, START_NS)
    assert (len(empty["t_ms"]), empty["newest"], empty["live_age_s"], empty["is_whole"]) == (0, None, None, False)
    bar = CandleBar(open=Decimal("2941.50"), high=Decimal(2950), low=Decimal(2940), close=Decimal("2945.1"),
                    volume=Decimal("12.5"), open_time=1_790_000_000, pair=ETH, duration="5m")  # fmt: skip
    found.take(bar, START_NS)
    shown = market.candles(found, CONTRACT, START_NS + 3 * SECOND)
    assert is_plain(shown)
    assert (shown["live_age_s"], shown["is_fresh"]) == (3.0, True)
    assert shown["newest"] == {"open": "2941.50", "high": "2950.00", "low": "2940.00", "close": "2945.10"}
    assert (shown["t_ms"].tolist(), shown["close"].tolist()) == ([1.79e12], [2945.1])
    assert not market.candles(found, CONTRACT, START_NS + 60 * SECOND)["is_fresh"]


def test_tape_is_newest_first_and_empty_for_an_unwatched_pair(desk: Desk) -> None:
    """Sides are who took."""
    desk.contracts[ETH] = CONTRACT
    for price, m in (("2941.5", 1), ("2942", 0)):
        desk.tapes[ETH].add(TradeRecord(T=5, p=Decimal(price), q=Decimal("0.2"), s=ETH, m=m, pr="f"), START_NS)
    shown = market.trades(desk, ETH, 9)
    assert is_plain(shown)
    assert [(row["price"], row["quantity"], row["side"]) for row in shown] == [
        ("2942.00", "0.200", "buy"),
        ("2941.50", "0.200", "sell"),
    ]
    assert market.trades(desk, "B-SOL_USDT", 9) == []
