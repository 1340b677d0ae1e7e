"""Charts in another zone than the browser's."""

import base64
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from coindcx_feed.ui import chart_zone, charts, theme

IST, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")
NOON_MS = 1_795_435_200_000.0
HOUR_MS = 3_600_000.0


def _chart(**layout: Any) -> charts.Figure:
    times = np.array([NOON_MS, np.nan, NOON_MS + HOUR_MS])
    shape = {"xref": "x", "x0": NOON_MS, "x1": NOON_MS + 1.0}
    words = [{"xref": "paper", "x": 1.0}, {"xref": "x", "x": NOON_MS}]
    layout = {
        "uirevision": "keep",
        "xaxis": charts.time_axis(theme.DARK, (NOON_MS, NOON_MS + HOUR_MS)),
        "shapes": [shape],
        "annotations": words,
        **layout,
    }
    return charts.figure([{"x": charts.packed(times), "y": []}], layout, height=9, revision="r")


def _times(chart: charts.Figure) -> list[float]:
    found: list[float] = np.frombuffer(base64.b64decode(chart["traces"][0]["x"]["bdata"]), "<f8").tolist()
    return found


def test_same_zone_leaves_the_chart_alone() -> None:
    """The usual case costs nothing."""
    chart = _chart()
    assert chart_zone.moved(chart, IST, IST) is chart


def test_everything_on_the_time_axis_moves_by_the_difference() -> None:
    """UTC in a browser in India: five and a half hours back; holes stay holes, words at the edge stay there."""
    chart = _chart()
    moved = chart_zone.moved(chart, UTC, IST)
    back = NOON_MS - 5.5 * HOUR_MS
    assert _times(moved)[::2] == [back, back + HOUR_MS]
    assert np.isnan(_times(moved)[1])
    assert moved["layout"]["xaxis"]["range"] == [back, back + HOUR_MS]
    assert moved["layout"]["shapes"][0]["x0"] == back
    assert [words["x"] for words in moved["layout"]["annotations"]] == [1.0, back]
    assert moved["revision"] != chart["revision"]
    assert moved["layout"]["uirevision"] != chart["layout"]["uirevision"]
    assert _times(chart)[0] == NOON_MS


def test_axis_of_prices_is_left_alone() -> None:
    """The depth chart has prices where others have times."""
    moved = chart_zone.moved(_chart(xaxis={"range": [1.0, 2.0]}), UTC, IST)
    assert moved["layout"]["xaxis"]["range"] == [1.0, 2.0]
    assert _times(moved)[0] == NOON_MS


def test_clock_change_inside_the_range_is_followed() -> None:
    """Berlin leaves summer time on 25 October 2026 at 01:00 UTC: two hours before it, one after."""
    change_ms = 1_792_890_000_000.0
    times = np.array([change_ms - 1.0, change_ms])
    assert chart_zone.shift_ms(times, UTC, BERLIN).tolist() == [-2 * HOUR_MS, -HOUR_MS]
