"""Mark prices: newest, freshness, and the day of seconds that charts are drawn from."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from fakes.frames import rows

from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.records import CurrentPricesRecord
from coindcx_feed.feed.marks import FRESH_S, HISTORY_S, Day, Marks

PAIR = "B-ETH_USDT"
START_S = 1_790_000_000
DAY_MS = HISTORY_S * 1_000


def _record(**prices: dict[str, Any]) -> CurrentPricesRecord:
    return CurrentPricesRecord.model_validate(
        {"pr": "futures", "prices": {f"B-{name}_USDT": row for name, row in prices.items()}}
    )


def _put(marks: Marks, second: float, price: str, open_pairs: tuple[str, ...] = ()) -> None:
    marks.update(_record(ETH={"mp": Decimal(price), "bmST": 7}), int((START_S + second) * 1e9), open_pairs)


def _series(marks: Marks, since_s: int, until_s: int) -> tuple[list[float], list[float]]:
    times, prices = marks.series(PAIR, (START_S + since_s) * 1_000, (START_S + until_s) * 1_000)
    return [time / 1_000 - START_S for time in times.tolist()], prices.tolist()


def test_newest_mark_keeps_its_digits_and_times() -> None:
    """Decimal from the wire to the reader."""
    marks = Marks()
    _put(marks, 0, "2890.123456789012345")
    found = marks.newest(PAIR)
    assert found is not None
    assert (str(found.price), found.received_ns, found.exchange_ms) == ("2890.123456789012345", START_S * 10**9, 7)
    assert marks.newest("B-BTC_USDT") is None


@pytest.mark.parametrize(("age_s", "is_fresh"), [(0, True), (FRESH_S, True), (FRESH_S + 0.001, False), (3_600, False)])
def test_mark_is_fresh_up_to_its_limit(age_s: float, is_fresh: bool) -> None:
    """An old mark computes no PnL."""
    marks = Marks()
    _put(marks, 0, "2890")
    found = marks.fresh(PAIR, int((START_S + age_s) * 1e9))
    assert found == (Decimal(2890) if is_fresh else None)


def test_recorded_frames_update_marks_and_ticker_frames_do_not() -> None:
    """The captured mark variant and ticker variant of one event."""
    mark_frame, ticker_frame = (
        CurrentPricesRecord.model_validate(parse_exact(row["data"]))
        for row in rows("ws/currentPrices-futures-update.captured.jsonl")
    )
    marks = Marks()
    marks.update(mark_frame, 1, ())
    marks.update(ticker_frame, 2, ())
    found = marks.newest("B-NATGAS_USDT")
    assert found is not None
    assert (found.price, found.received_ns, found.exchange_ms) == (Decimal("3.16367199"), 1, 1_790_134_884_264)
    assert marks.newest("B-AVA_USDT") is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"mp": None},
        {"bmST": 5},
        {"mp": True},
        {"mp": []},
        {"mp": "abc"},
        {"mp": "NaN"},
        {"mp": 0},
        {"mp": Decimal("1e999")},
        {"mp": "-1"},
    ],
)
def test_row_without_a_mark_changes_nothing(fields: dict[str, Any]) -> None:
    """An update may carry only times; it neither removes nor freshens a mark."""
    marks = Marks()
    _put(marks, 0, "2890")
    marks.update(_record(ETH=fields), (START_S + 5) * 10**9, ())
    found = marks.newest(PAIR)
    assert found is not None
    assert (found.price, found.received_ns) == (Decimal(2890), START_S * 10**9)


@pytest.mark.parametrize("sent", [2890, Decimal("2890"), "2890"])
def test_F11_mark_as_number_or_text_is_taken(sent: object) -> None:
    """Numbers sent as text are tolerated everywhere."""
    marks = Marks()
    marks.update(_record(ETH={"mp": sent}), START_S * 10**9, ())
    assert marks.fresh(PAIR, START_S * 10**9) == 2890


def test_series_is_kept_for_chosen_pairs_and_for_open_positions_only() -> None:
    """541 pairs a frame, of which a few are charted."""
    chosen, other = Marks([PAIR]), Marks()
    for second in range(3):
        _put(chosen, second, "1")
        _put(other, second, "1")
    assert _series(chosen, 0, 10) == ([0, 1, 2], [1, 1, 1])
    assert _series(other, 0, 10) == ([], [])
    _put(other, 3, "2", (PAIR,))
    assert _series(other, 0, 10) == ([3], [2])


def test_last_mark_of_a_second_counts() -> None:
    """Two to three updates a second become one point."""
    marks = Marks([PAIR])
    for offset, price in ((0.1, "1"), (0.5, "2"), (0.9, "3")):
        _put(marks, offset, price)
    assert _series(marks, 0, 1) == ([0], [3])


def test_series_breaks_where_marks_are_older_than_the_limit() -> None:
    """C6: a pause of the limit is drawn through, a longer one is a hole."""
    marks = Marks([PAIR])
    for second in (0, 10, 21):
        _put(marks, second, "5")
    times, prices = _series(marks, 0, 60)
    assert times == [0, 10, 11, 21]
    assert prices[:2] == [5, 5]
    assert np.isnan(prices[2])
    assert prices[3] == 5


def test_series_begins_and_ends_where_asked() -> None:
    """Whole seconds, both ends included."""
    marks = Marks([PAIR])
    for second in range(10):
        _put(marks, second, str(second + 1))
    assert _series(marks, 3, 5) == ([3, 4, 5], [4, 5, 6])
    assert _series(marks, 20, 30) == ([], [])
    assert _series(marks, 5, 3) == ([], [])


def test_C8_day_of_seconds_wraps_and_yesterday_does_not_show_through() -> None:
    """The circle holds 24 h; a slot of the round before is no mark of this one."""
    marks = Marks([PAIR])
    for second in (0, 1, HISTORY_S, HISTORY_S + 3):
        _put(marks, second, str(second + 1))
    times, prices = _series(marks, 0, HISTORY_S + 3)
    kept = [(time, price) for time, price in zip(times, prices, strict=True) if not np.isnan(price)]
    assert kept == [(HISTORY_S, HISTORY_S + 1), (HISTORY_S + 3, HISTORY_S + 4)]


def test_series_across_the_end_of_the_circle_is_in_order() -> None:
    """The slot number falls from the last to 0 in the middle of a chart."""
    marks = Marks([PAIR])
    wrap = HISTORY_S - START_S % HISTORY_S
    for second in range(wrap - 2, wrap + 2):
        _put(marks, second, "1")
    assert _series(marks, wrap - 5, wrap + 5)[0] == [wrap - 2, wrap - 1, wrap, wrap + 1]


def test_day_is_what_prices_told_last() -> None:
    """High and low come with a snapshot, the rate with funding updates; a mark alone changes neither."""
    marks = Marks()
    marks.update(
        _record(ETH={"h": Decimal(2_950), "l": Decimal(2_850), "efr": Decimal("-0.0001")}), START_S * 10**9, ()
    )
    _put(marks, 60, "2890")
    marks.update(_record(ETH={"efr": Decimal(0)}), (START_S + 90) * 10**9, ())
    found = marks.day(PAIR)
    assert (found.high, found.low, found.funding_rate) == (Decimal(2_950), Decimal(2_850), Decimal(0))
    assert found.received_ns == START_S * 10**9
    assert marks.day("B-BTC_USDT") == Day()


@pytest.mark.parametrize("fields", [{"h": 0, "l": 1, "efr": "x"}, {"h": True, "l": 2, "efr": 7}, {"efr": "NaN"}])
def test_day_keeps_no_nonsense(fields: dict[str, Any]) -> None:
    """A price that is none, half a range, a rate beyond 100 %."""
    marks = Marks()
    marks.update(CurrentPricesRecord.model_construct(pr="futures", prices={PAIR: fields}), START_S * 10**9, ())
    assert marks.day(PAIR) == Day()


def test_history_follows_the_choice_of_pairs() -> None:
    """A pair that is chosen later gets a history from then on; one that is neither chosen nor held loses it."""
    marks = Marks(["B-ETH_USDT"])
    both = {"B-ETH_USDT": {"mp": 2900}, "B-BTC_USDT": {"mp": 84000}}
    marks.update(CurrentPricesRecord(pr="futures", prices=both), 1_000 * 10**9, ())
    marks.choose(["B-BTC_USDT"], held=["B-ETH_USDT"])
    marks.update(CurrentPricesRecord(pr="futures", prices=both), 1_001 * 10**9, ["B-ETH_USDT"])
    counts = [len(marks.series(pair, 900_000, 2_000_000)[0]) for pair in both]
    assert counts == [2, 1]
    marks.choose([])
    assert [len(marks.series(pair, 900_000, 2_000_000)[0]) for pair in both] == [0, 0]
