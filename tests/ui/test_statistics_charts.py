"""Charts of the Statistics page, without a browser."""

import base64
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from ui.fake_past import FakePast
from ui.fake_service import FakeService

from coindcx_feed.ui import statistics_charts, theme
from coindcx_feed.ui.points import MAX_POINTS

IST = ZoneInfo("Asia/Kolkata")
MIDNIGHT = 1_795_199_400_000.0  # 2026-11-21 in India
DAY_MS = 86_400_000.0


@pytest.fixture
def past() -> FakePast:
    """Figures as the service gives them."""
    return FakePast(FakeService(events=900))


def test_activity_chart_stacks_every_type(past: FakePast) -> None:
    """One trace and one word per type; gaps are shaded as everywhere."""
    activity = past._activity("day")
    t_range = (float(activity["t_ms"][0]), float(activity["t_ms"][-1]))
    gap = {"from_ms": t_range[0] + 1e6, "to_ms": t_range[0] + 9e6, "cause": "x"}
    chart = statistics_charts.activity_chart(activity, [gap], palette=theme.DARK, t_range=t_range, revision="r")
    assert chart is not None
    assert [trace["name"] for trace in chart["traces"]] == ["order", "position", "balance", "fill", "system"]
    assert len(chart["layout"]["shapes"]) == 1
    empty = {**activity, "types": {}}
    assert statistics_charts.activity_chart(empty, [], palette=theme.DARK, t_range=t_range, revision="r") is None


def _day_rows(*values: tuple[int, str | None], currency: str = "USDT") -> list[dict[str, Any]]:
    return [{"day": f"2026-11-{day:02}", "currency": currency, "pnl": text} for day, text in values]


def test_result_chart_is_green_and_red_and_adds_up() -> None:
    """One bar per day of one currency, in the middle of the reader's day; the word at the edge is their sum."""
    rows = [*_day_rows((22, "5"), (21, "-2"), (20, None)), *_day_rows((22, "900"), currency="INR")]
    chart = statistics_charts.result_chart(rows, "USDT", [], palette=theme.LIGHT, zone=IST, revision="r")
    assert chart is not None
    bars, line = chart["traces"]
    at = np.frombuffer(base64.b64decode(bars["x"]["bdata"]))
    assert at.tolist() == [MIDNIGHT + DAY_MS / 2, MIDNIGHT + 1.5 * DAY_MS]
    assert bars["marker"]["color"] == [theme.LIGHT.red, theme.LIGHT.green]
    assert line["mode"] == "lines+markers"
    assert chart["layout"]["annotations"][-1]["text"] == "sum +3.00"
    assert chart["layout"]["xaxis"]["range"] == [MIDNIGHT - 5 * DAY_MS, MIDNIGHT + 2 * DAY_MS]
    assert statistics_charts.result_chart(rows, "EUR", [], palette=theme.LIGHT, zone=IST, revision="r") is None


def test_C7_gap_is_shaded_among_days() -> None:
    """What a day made says less when a part of it was not watched."""
    gap = {"from_ms": MIDNIGHT + 1e6, "to_ms": MIDNIGHT + 9e6}
    chart = statistics_charts.result_chart(
        _day_rows((21, "1"), (22, "2")), "USDT", [gap], palette=theme.DARK, zone=IST, revision="r"
    )
    assert chart is not None
    assert [(shape["x0"], shape["x1"]) for shape in chart["layout"]["shapes"]] == [(gap["from_ms"], gap["to_ms"])]


def test_ten_years_of_days_are_drawn_within_the_limit() -> None:
    """The newest days stay."""
    days = np.datetime64("2016-11-23") + np.arange(3_650)
    rows = [{"day": str(day), "currency": "USDT", "pnl": "1"} for day in days]
    chart = statistics_charts.result_chart(rows, "USDT", [], palette=theme.DARK, zone=IST, revision="r")
    assert chart is not None
    counts = [len(base64.b64decode(trace["y"]["bdata"])) // 8 for trace in chart["traces"]]
    assert max(counts) <= MAX_POINTS


def test_dates_stand_on_axes_of_days_only() -> None:
    """An hour's axis keeps its times."""

    def stops(hours: float) -> Any:
        chart = {"layout": {"xaxis": {}}}
        return statistics_charts.with_dates(chart, (0.0, hours * 3_600_000))["layout"]["xaxis"].get("tickformatstops")

    assert stops(1) is None
    assert stops(72)[-1]["value"] == "%e %b"
