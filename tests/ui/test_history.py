"""Ranges, figures, charts and tables of the History page, without a browser."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from ui.fake_past import FakePast
from ui.fake_service import FakeService

from coindcx_feed.ui import history_charts, history_figures, history_tables, theme
from coindcx_feed.ui.history_range import Range, command, read_address, resolve, words

IST = ZoneInfo("Asia/Kolkata")
NOW = 1_795_404_652_718.0  # 2026-11-23 09:00:52 in India


@pytest.fixture
def past() -> FakePast:
    """Figures as the service gives them."""
    return FakePast(FakeService(events=900))


def _text(node: Any) -> str:
    if isinstance(node, dict):
        return " ".join(filter(None, [node.get("text", ""), *(_text(child) for child in node.get("children", ()))]))
    return " ".join(_text(each) for each in node if each)


def test_presets_are_days_of_the_browser() -> None:
    """Midnight is the reader's; open ends stay open."""
    day = 86_400_000
    today = 1_795_372_200_000.0  # 2026-11-23 00:00 IST
    assert resolve("Today", NOW, IST) == Range(today, None)
    assert resolve("Yesterday", NOW, IST) == Range(today - day, today)
    assert resolve("7 d", NOW, IST) == Range(today - 6 * day, None)
    assert resolve("1 h", NOW, IST) == Range((NOW - 3_600_000) // 60_000 * 60_000, None)
    assert resolve("All", NOW, IST) == Range(None, None)


def test_seven_days_across_a_clock_change_begin_at_midnight() -> None:
    """A day of 25 hours does not move the beginning."""
    zone = ZoneInfo("America/New_York")
    begin = resolve("7 d", 1_793_900_000_000.0, zone).from_ms  # 2026-11-05, four days after the change
    assert begin is not None
    assert words(Range(begin, None), None, NOW, zone).startswith("30 Oct 00:00")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22", "2026-11-22T10:00", "<b>", "2026-99-99T10:00Z"])
def test_addresses_that_are_no_time_are_none(text: str) -> None:
    """Whatever stands in a shared link."""
    assert read_address(text) is None
    assert read_address("1970-01-01T00:01Z") == 60_000.0


def test_command_says_what_the_page_shows() -> None:
    """Texts are quoted for a shell."""
    wanted = {"types": ["order", "fill"], "statuses": ["filled"], "text": "it's; rm -rf", "price_min": "1.5"}
    assert command(Range(0.0, 60_000.0), wanted) == (
        "coindcx-feed export --from 1970-01-01T00:00:00Z --to 1970-01-01T00:01:00Z --types order,fill "
        "--statuses filled --search 'it'\"'\"'s; rm -rf' --price-min 1.5"
    )


def test_strip_adds_each_currency_for_itself(past: FakePast) -> None:
    """USDT and INR stand side by side; counts add up."""
    node = history_figures.strip(past._activity("day"), past._orders("pair"), past._money("pair"), 1_000.0)
    shown = _text(node)
    for part in (
        "900",
        "0.9 per minute",
        "5 filled, 2 cancelled, 1 rejected",
        "62.5 %",
        "15 s",
        "18,427.50",
        "12 fills",
    ):
        assert part in shown
    assert "+1,305.17  INR" in shown
    assert "−12.50  USDT" in shown


def test_strip_without_orders_or_fills_says_unknown_not_zero(past: FakePast) -> None:
    """A rate of nothing is no rate."""
    shown = _text(history_figures.strip(past._activity("day"), [], [], 10.0))
    assert "Fill rate –" in shown
    assert "Traded volume –" in shown


def test_busiest_pairs_name_their_share(past: FakePast) -> None:
    """Of all events of the range."""
    shown = _text(history_figures.busiest(past._activity("day")))
    assert "120" in shown
    assert "13.3 %" in shown
    assert "No event of this range has a pair" in _text(history_figures.busiest({"busiest": [], "events": 0}))


def test_activity_chart_stacks_every_type(past: FakePast) -> None:
    """One trace and one word per type; gaps are shaded as everywhere."""
    activity = past._activity("day")
    t_range = (float(activity["t_ms"][0]), float(activity["t_ms"][-1]))
    gap = {"from_ms": t_range[0] + 1e6, "to_ms": t_range[0] + 9e6, "cause": "x"}
    chart = history_charts.activity_chart(activity, [gap], palette=theme.DARK, t_range=t_range, revision="r")
    assert chart is not None
    assert [trace["name"] for trace in chart["traces"]] == ["order", "position", "balance", "fill", "system"]
    assert len(chart["layout"]["shapes"]) == 1
    empty = {**activity, "types": {}}
    assert history_charts.activity_chart(empty, [], palette=theme.DARK, t_range=t_range, revision="r") is None


def test_result_chart_is_green_and_red_and_adds_up(past: FakePast) -> None:
    """One bar per day of one currency; the word at the edge is their sum."""
    rows = [
        {"day": "2026-11-22", "currency": "USDT", "pnl": "5"},
        {"day": "2026-11-21", "currency": "USDT", "pnl": "-2"},
        {"day": "2026-11-22", "currency": "INR", "pnl": "900"},
        {"day": "2026-11-20", "currency": "USDT", "pnl": None},
    ]
    chart = history_charts.result_chart(rows, "USDT", palette=theme.LIGHT, revision="r")
    assert chart is not None
    assert chart["traces"][0]["x"] == ["21 Nov", "22 Nov"]
    assert chart["traces"][0]["marker"]["color"] == [theme.LIGHT.red, theme.LIGHT.green]
    assert chart["layout"]["annotations"][0]["text"] == "sum +3.00"
    assert history_charts.result_chart(rows, "EUR", palette=theme.LIGHT, revision="r") is None


def test_dates_stand_on_axes_of_days_only() -> None:
    """An hour's axis keeps its times."""

    def stops(hours: float) -> Any:
        chart = {"layout": {"xaxis": {}}}
        return history_charts.with_dates(chart, (0.0, hours * 3_600_000))["layout"]["xaxis"].get("tickformatstops")

    assert stops(1) is None
    assert stops(72)[-1]["value"] == "%e %b"


@pytest.mark.parametrize(("by", "names"), [("day", ["day"]), ("pair", ["pair"]), ("both", ["day", "pair"])])
def test_tables_show_what_they_are_grouped_by(past: FakePast, by: str, names: list[str]) -> None:
    """Figures are numbers, so that they sort; unknown ones are empty."""
    orders = history_tables.orders_table(past._orders(by))
    money = history_tables.money_table(past._money(by))
    assert [name for name in ("day", "pair") if name in orders.column_names] == names
    assert orders["rate"].to_pylist()[0] == 62.5
    assert money["volume"].to_pylist()[-1] is None
    assert np.isclose(money["pnl"].to_pylist()[-1], 1305.1716)


def test_range_in_words() -> None:
    """Open ends are named, not left out."""
    assert words(Range(None, None), None, NOW, UTC) == "the beginning to now"
