"""Charts as plain figures: what is drawn, where lines break, what words stand at the edge."""

import base64
import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.ui import balance_chart, charts, feed_charts, order_chart, position_chart
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.points import MAX_POINTS
from coindcx_feed.ui.scripts import asset
from coindcx_feed.ui.theme import DARK


def _values(packed: dict[str, str]) -> npt.NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(packed["bdata"]), dtype="<f8")


def _position_chart(service: FakeService, index: int = 0, *, liquidation: bool = False) -> dict[str, Any] | None:
    position = service.positions()[index]
    series = service.position_series(position["id"], 0.0)
    assert series is not None
    return position_chart.position_chart(
        position, series, service.gaps(), palette=DARK, now_ms=service.now_ms, with_liquidation=liquidation, revision=1
    )


def _words(chart: dict[str, Any]) -> list[str]:
    return [label["text"] for label in chart["layout"]["annotations"]]


def test_packed_is_what_plotly_reads() -> None:
    """Little-endian doubles in base64."""
    assert _values(charts.packed(np.array([1, 2.5]))).tolist() == [1.0, 2.5]


def test_position_chart_breaks_its_line_in_a_hole() -> None:
    """An old mark breaks the line instead of extending it; nothing bridges."""
    chart = _position_chart(FakeService())
    assert chart is not None
    mark = next(trace for trace in chart["traces"] if trace["name"] == "mark")
    assert np.isnan(_values(mark["y"])).any()
    assert mark["connectgaps"] is False


def test_position_chart_names_an_off_screen_liquidation() -> None:
    """The default scale fits the price and says where the liquidation price is."""
    chart = _position_chart(FakeService())
    assert chart is not None
    assert "↓ liq 2,384.12, 18.9 %" in _words(chart)
    low, _ = chart["layout"]["yaxis"]["range"]
    assert low > 2_384.12


def test_include_liquidation_puts_it_in_range() -> None:
    """The switch changes the scale, not the facts."""
    chart = _position_chart(FakeService(), liquidation=True)
    assert chart is not None
    low, high = chart["layout"]["yaxis"]["range"]
    assert low < 2_384.12 < high
    assert "liq 2,384.12" in _words(chart)


def test_words_at_the_edge_keep_apart() -> None:
    """Mark and average a cent apart are two words, not one blot."""
    shifts = charts.spread([100.0, 101.0, 50.0], 200.0, 15.0)
    heights = sorted(y + shift for y, shift in zip([100.0, 101.0, 50.0], shifts, strict=True))
    assert min(np.diff(heights)) >= 14.5
    assert charts.spread([199.0, 198.0], 200.0, 15.0)[0] <= 1


def test_zoom_is_kept_by_a_constant_revision() -> None:
    """Data moves, the reader's range stays; only another picture starts anew."""
    assert charts.base_layout(DARK, height=100)["uirevision"] == charts.base_layout(DARK, height=100)["uirevision"]
    assert "Plotly.react" in asset("charts.js")


def test_gaps_are_drawn_the_same_everywhere() -> None:
    """Fill, dotted edges and a label with the length; what lies outside is left out."""
    gaps = [{"from_ms": 100_000.0, "to_ms": 160_000.0}, {"from_ms": -9_000.0, "to_ms": -8_000.0}]
    shapes, labels = charts.gap_marks(gaps, (0.0, 1_000_000.0), DARK)
    assert [shape["x0"] for shape in shapes] == [100_000.0]
    assert labels[0]["text"] == "gap 1 m 00 s"


def test_time_that_nobody_wanted_to_watch_is_no_gap_by_its_label() -> None:
    """On demand: shaded as well, but named for what it is and without the colour of a failure."""
    gaps = [{"from_ms": 100_000.0, "to_ms": 160_000.0, "is_on_demand": True}]
    shapes, labels = charts.gap_marks(gaps, (0.0, 1_000_000.0), DARK)
    assert labels[0]["text"] == "not watching 1 m 00 s"
    assert shapes[0]["line"]["color"] == labels[0]["font"]["color"] == DARK.gray


def _every_chart(service: FakeService, gaps: list[dict[str, Any]]) -> dict[str, dict[str, Any] | None]:
    order, position, feed = service.order("00000001-90f2-4be1"), service.positions()[0], service.feed()
    series = service.position_series(position["id"], 0.0)
    assert order is not None
    assert series is not None
    look: dict[str, Any] = {"palette": DARK, "now_ms": service.now_ms}
    since_ms = service.now_ms - 1_800_000
    wallet = service.balance_series("USDT", since_ms)
    return {
        "position": position_chart.position_chart(position, series, gaps, **look, with_liquidation=False, revision=1),
        "balance": balance_chart.balance_chart(
            service.balances()[0], wallet, gaps, **look, since_ms=since_ms, revision=1
        ),
        "order": order_chart.order_chart(order["order"], order["steps"], gaps, **look, revision=1),
        "rates": feed_charts.rates_chart(feed["rates"], gaps, **look),
        "delays": feed_charts.delays_chart(feed["delays"], gaps, **look),
    }


@pytest.mark.parametrize("name", ["position", "balance", "order", "rates", "delays"])
def test_C7_gap_is_shaded_on_every_time_chart(name: str) -> None:
    """From its start to its end, over the whole height; without a gap nothing is shaded."""
    service = FakeService()
    gap = {"from_ms": service.now_ms - 900_000, "to_ms": service.now_ms - 840_000}
    for gaps, expected in (([gap], [(gap["from_ms"], gap["to_ms"])]), ([], [])):
        chart = _every_chart(service, gaps)[name]
        assert chart is not None
        shaded = [shape for shape in chart["layout"]["shapes"] if shape["type"] == "rect"]
        assert [(shape["x0"], shape["x1"]) for shape in shaded] == expected
        assert all((shape["yref"], shape["y0"], shape["y1"]) == ("paper", 0, 1) for shape in shaded)


def _lines(chart: dict[str, Any]) -> dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    traces = [
        trace for trace in chart["traces"] if "lines" in trace.get("mode", "") and trace["line"].get("width") != 0
    ]
    return {trace["name"]: (_values(trace["x"]), _values(trace["y"])) for trace in traces}


@pytest.mark.parametrize("name", ["position", "balance", "order"])
def test_every_line_breaks_where_nothing_was_observed(name: str) -> None:
    """Away from the exchange no line is drawn, neither a mark nor what was held beside it."""
    service = FakeService()
    gap = {"from_ms": service.now_ms - 900_000, "to_ms": service.now_ms - 840_000}
    chart = _every_chart(service, [gap])[name]
    assert chart is not None
    lines = _lines(chart)
    assert len(lines) == {"position": 4, "balance": 3, "order": 1}[name]
    for line, (t_ms, values) in lines.items():
        assert np.isnan(values[(t_ms >= gap["from_ms"]) & (t_ms < gap["to_ms"])]).any(), line
        assert np.isfinite(values[t_ms > gap["to_ms"]]).any(), line


def test_balance_chart_ends_where_an_open_gap_begins() -> None:
    """What was held before it is not known to be held now."""
    service = FakeService()
    chart = _every_chart(service, [{"from_ms": service.now_ms - 90_000, "to_ms": None}])["balance"]
    assert chart is not None
    t_ms, total = _lines(chart)["total"]
    assert np.isnan(total[t_ms >= service.now_ms - 90_000][1:]).any()


def _crowded() -> FakeService:
    service = FakeService()
    t_ms = np.linspace(service.now_ms - 86_400_000, service.now_ms, 20_000)
    wave = 2_900 + 40 * np.sin(t_ms / 9e5)
    fills = [{"t_ms": at, "price": 2_925.0, "side": "buy", "quantity": 0.05} for at in t_ms[::4].tolist()]
    names = {"mark": wave, "avg": wave - 1, "liquidation": wave - 500, "size": wave / 1e4, "pnl": wave - 2_900}
    wallet = {"t_ms": t_ms, "total": wave, "available": wave - 9, "locked": np.full(len(t_ms), 9.0)}
    delays = {"t_ms": t_ms, "p50": wave, "p95": wave, "p99": wave}
    found = service.order("00000001-90f2-4be1")
    assert found is not None
    steps = [{**found["steps"][-1], "t_ms": at} for at in t_ms.tolist()]
    feed = {**service.feed(), "delays": delays}
    service.position_series = lambda *_: {"t_ms": t_ms, **names, "fills": fills}  # type: ignore[method-assign]
    service.balance_series = lambda *_: wallet  # type: ignore[method-assign]
    service.order = lambda *_: {**found, "steps": steps}  # type: ignore[method-assign]
    service.feed = lambda: feed  # type: ignore[method-assign]
    return service


@pytest.mark.parametrize("name", ["position", "balance", "order", "rates", "delays"])
def test_no_trace_has_more_points_than_a_browser_draws(name: str) -> None:
    """20,000 points of each series become at most 2,000 of each trace, markers included."""
    chart = _every_chart(_crowded(), [])[name]
    assert chart is not None
    counts = {trace["name"]: len(_values(trace["y"])) for trace in chart["traces"]}
    assert max(counts.values()) <= MAX_POINTS == 2_000
    assert all(len(_values(trace["x"])) == len(_values(trace["y"])) for trace in chart["traces"])


def test_open_gap_is_drawn_anew_while_it_lasts() -> None:
    """Away from the exchange nothing else moves: the shading itself must."""
    away, over = {"from_ms": 1_000.0, "to_ms": None}, {"from_ms": 1_000.0, "to_ms": 2_000.0}
    assert charts.gaps_revision([away], 10_000.0) != charts.gaps_revision([away], 13_000.0)
    assert charts.gaps_revision([over], 10_000.0) == charts.gaps_revision([over], 13_000.0)
    assert charts.gaps_revision([], 0.0) != charts.gaps_revision([over], 0.0)


def test_order_chart_steps_to_the_filled_quantity() -> None:
    """Filled as steps, the quantity ordered as a dashed line, both named at the edge."""
    service = FakeService()
    found = service.order("00000001-90f2-4be1")
    assert found is not None
    chart = order_chart.order_chart(found["order"], found["steps"], [], palette=DARK, now_ms=service.now_ms, revision=1)
    assert chart is not None
    assert chart["traces"][0]["line"]["shape"] == "hv"
    assert "ordered 0.250" in _words(chart)
    assert "filled 0.150 · 60 %" in _words(chart)
    assert "0.05 at 2,936.40" in _words(chart)


def test_order_chart_without_steps_is_nothing() -> None:
    """An order whose updates have left the memory has no chart."""
    assert order_chart.order_chart(FakeService().orders()[0], [], [], palette=DARK, now_ms=0.0, revision=1) is None


def test_balance_chart_holds_the_last_value_until_now() -> None:
    """A balance is what it was until the next event."""
    service = FakeService()
    series = service.balance_series("USDT", service.now_ms - 900_000)
    chart = balance_chart.balance_chart(
        service.balances()[0],
        series,
        [],
        palette=DARK,
        since_ms=service.now_ms - 900_000,
        now_ms=service.now_ms,
        revision=1,
    )
    assert chart is not None
    total = next(trace for trace in chart["traces"] if trace["name"] == "total")
    assert _values(total["x"])[-1] == service.now_ms
    assert _values(total["y"])[-1] == _values(total["y"])[-2]


def test_empty_series_draw_nothing() -> None:
    """No event, no line."""
    service = FakeService()
    empty = {name: np.empty(0) for name in ("t_ms", "total", "available", "locked")}
    balance = service.balances()[0]
    assert balance_chart.balance_chart(balance, empty, [], palette=DARK, since_ms=0, now_ms=1, revision=1) is None
    nothing = {"t_ms": np.arange(3.0), **{name: np.full(3, np.nan) for name in ("p50", "p95", "p99")}}
    assert feed_charts.delays_chart(nothing, [], palette=DARK, now_ms=3.0) is None
    flat = FakeService().position_series("p-eth", 0.0)
    assert flat is not None
    flat["mark"][:] = np.nan
    position = service.positions()[0]
    drawn = position_chart.position_chart(
        position, flat, [], palette=DARK, now_ms=service.now_ms, with_liquidation=False, revision=1
    )
    assert drawn is None


def test_rates_have_one_scale_for_all_types() -> None:
    """Three panels that can be compared."""
    service = FakeService()
    chart = feed_charts.rates_chart(service.feed()["rates"], service.gaps(), palette=DARK, now_ms=service.now_ms)
    ranges = {tuple(chart["layout"][axis]["range"]) for axis in ("yaxis", "yaxis2", "yaxis3")}
    assert len(ranges) == 1


@pytest.mark.parametrize("field", ["pair", "quote"])
def test_T13_hostile_names_cannot_be_links_in_a_chart(field: str) -> None:
    """Plotly's labels understand a little markup: no angle bracket of the feed reaches them."""
    service = FakeService()
    position = {**service.positions()[0], field: f"B-{HOSTILE}_USDT"}
    series = service.position_series("p-eth", 0.0)
    assert series is not None
    chart = position_chart.position_chart(
        position, series, [], palette=DARK, now_ms=service.now_ms, with_liquidation=False, revision=1
    )
    assert not re.search(r"<(?!br>)", json.dumps(chart))


def test_axes_of_rupees_are_grouped_as_the_reader_chose() -> None:
    """Lakh and crore for INR only; another choice is another drawing."""
    chart = charts.figure([], {}, height=100, revision="r")
    try:
        fmt.group_rupees(True)
        found = charts.in_currency(chart, "INR")
        assert found["grouping"] == "indian"
        assert found["revision"] != chart["revision"]
        assert charts.in_currency(chart, "USDT") == chart
    finally:
        fmt.group_rupees(False)
    assert charts.in_currency(chart, "INR") == chart
