"""Charts of the Market page as plain figures."""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.ui import market_charts
from coindcx_feed.ui.theme import DARK


def _values(packed: dict[str, str]) -> npt.NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(packed["bdata"]), dtype="<f8")


def _bars(service: FakeService, **changes: Any) -> dict[str, Any]:
    found = service.market.candles("B-ETH_USDT", "1m")
    assert found is not None
    return found | changes


def _chart(service: FakeService, **changes: Any) -> dict[str, Any] | None:
    bars = _bars(service, **changes)
    return market_charts.candle_chart(bars, service.gaps(), names=("ETH", "USDT"), palette=DARK, revision=1)


def _depth(state: str) -> dict[str, Any] | None:
    service = FakeService()
    service.market.book_state = state
    book = service.market.book("B-ETH_USDT")
    assert book is not None
    return market_charts.depth_chart(book, names=("ETH", "USDT"), palette=DARK, revision=1)


def _words(chart: dict[str, Any]) -> list[str]:
    return [label["text"] for label in chart["layout"]["annotations"]]


def test_bars_stand_where_they_belong_in_time_with_their_volume() -> None:
    """Times are real, so that what is missing stays empty."""
    chart = _chart(FakeService())
    assert chart is not None
    candles, *volumes = chart["traces"]
    assert candles["type"] == "candlestick"
    assert len(_values(candles["x"])) == 120 == sum(len(_values(trace["x"])) for trace in volumes)
    assert {"Price, USDT", "Volume, ETH", "2,941.8"} <= set(_words(chart))
    assert chart["layout"]["xaxis"]["rangeslider"] == {"visible": False}


def test_time_away_is_shaded_as_elsewhere() -> None:
    """Below the bars, with the same edges."""
    chart = _chart(FakeService())
    assert chart is not None
    assert [shape["type"] for shape in chart["layout"]["shapes"]] == ["rect", "line"]


def test_bars_are_bounded() -> None:
    """At most 2,000 points reach the browser."""
    service, count = FakeService(), 5_000
    line = np.full(count, 2_900.0)
    names = ("open", "high", "low", "close", "volume")
    chart = _chart(service, t_ms=60_000.0 * np.arange(count), **dict.fromkeys(names, line))
    assert chart is not None
    assert len(_values(chart["traces"][0]["x"])) == market_charts.MOST_BARS == 2_000


def test_no_bar_is_no_chart() -> None:
    """The page says what is awaited."""
    assert _chart(FakeService(events=0)) is None


def test_old_running_bar_has_a_grey_price() -> None:
    """Its colour would be a claim about now."""
    chart = _chart(FakeService(), is_fresh=False)
    assert chart is not None
    assert chart["layout"]["annotations"][-1]["font"]["color"] == DARK.gray


def test_names_never_become_markup() -> None:
    """Chart labels understand a little of it."""
    bars = _bars(FakeService())
    chart = market_charts.candle_chart(bars, [], names=(HOSTILE, HOSTILE), palette=DARK, revision=1)
    assert chart is not None
    assert all("<" not in word for word in _words(chart))


def test_depth_rises_from_the_middle_to_both_sides() -> None:
    """Steps from nothing at the best price to the sum of the side."""
    chart = _depth("synced")
    assert chart is not None
    for trace in chart["traces"]:
        total = _values(trace["y"])
        assert (total[0], total[-1]) == (0.0, 10.0)
        assert np.all(np.diff(total) >= 0)
    low, high = chart["layout"]["xaxis"]["range"]
    assert low < 2_941.5 < 2_941.6 < high


def test_depth_of_an_old_book_is_grey_and_of_an_unsynced_one_nothing() -> None:
    """Neither looks like now."""
    chart = _depth("old")
    assert chart is not None
    assert {trace["line"]["color"] for trace in chart["traces"]} == {DARK.gray}
    assert _depth("unsynced") is None
