"""Charts of a period: how busy it was, what was earned per day. Balances are drawn as on their own page."""

from datetime import datetime, tzinfo
from typing import Any, Final

import numpy as np

from coindcx_feed.ui import charts, points, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.charts import Figure
from coindcx_feed.ui.theme import Palette

HEIGHT: Final = 300
DAY_MS: Final = 86_400_000
LEAST_DAYS: Final = 7
"""A single day would be a wall, not a bar."""
RESULT_HEIGHT: Final = 420
"""That of the balance beside it."""
DATED_MS: Final = 2 * DAY_MS
KINDS: Final = ("order", "position", "balance", "fill", "ledger", "system")

Rows = list[dict[str, Any]]


def with_dates(chart: Figure, t_range: tuple[float, float]) -> Figure:
    """Write dates on the time axis of a range of days: every tick of it would read 00:00."""
    axis = chart["layout"]["xaxis"]
    axis["hoverformat"] = "%e %b %H:%M"
    if t_range[1] - t_range[0] > DATED_MS:
        axis["tickformatstops"] = [
            {"dtickrange": [None, 43_200_000], "value": "%e %b %H:%M"},
            {"dtickrange": [43_200_000, None], "value": "%e %b"},
        ]
    return chart


def color_of(kind: str, palette: Palette) -> str:
    """Return the colour of a type; those without one of their own are shades of grey."""
    own = {"fill": palette.text, "ledger": palette.gray, "system": palette.hairline}
    return own.get(kind) or str(getattr(palette, theme.TYPE_COLORS[kind]))


def activity_chart(
    activity: dict[str, Any], gaps: Rows, *, palette: Palette, t_range: tuple[float, float], revision: object
) -> Figure | None:
    """Draw events per minute as stacked bars by type; ``None`` when there is none."""
    kinds = [kind for kind in KINDS if kind in activity["types"]]
    if not kinds:
        return None
    bucket_ms = activity["bucket_s"] * 1000
    t_ms = activity["t_ms"] + bucket_ms / 2
    total = np.sum([activity["types"][kind] for kind in kinds], axis=0)
    layout = charts.base_layout(palette, height=HEIGHT, left=44, right=132, top=8)
    layout |= {"barmode": "stack", "bargap": 0.0}
    layout["xaxis"] = charts.time_axis(palette, t_range)
    layout["yaxis"] = charts.value_axis(palette, range=[0, float(total.max()) * 1.1 or 1.0])
    shapes, labels = charts.gap_marks(gaps, t_range, palette)
    layout["shapes"], layout["annotations"] = shapes, [*labels, *_kind_words(activity, kinds, palette)]
    traces = [_bars(t_ms, activity["types"][kind], color_of(kind, palette), kind) for kind in kinds]
    return with_dates(charts.figure(traces, layout, height=HEIGHT, revision=revision), t_range)


def _kind_words(activity: dict[str, Any], kinds: list[str], palette: Palette) -> list[Figure]:
    # A column of words, not at the bars' heights: a thin stretch would have no room for its word.
    words = []
    for place, kind in enumerate(kinds):
        mean = float(activity["types"][kind].mean())
        color = palette.gray if kind == "system" else color_of(kind, palette)
        text = f"{theme.type_label(kind)} {_rate(mean)}"
        words.append(charts.edge_word(text, 1 - (place + 0.5) / 7, color) | {"yref": "paper"})
    return words


def _rate(mean: float) -> str:
    return f"{mean:,.0f}" if mean >= 100 else f"{mean:,.1f}" if mean >= 1 else f"{mean:.2g}"


def _bars(x: charts.Floats, y: charts.Floats, color: str, name: str) -> Figure:
    return {"type": "bar", "x": charts.packed(x), "y": charts.packed(y), "name": name,
            "marker": {"color": color, "line": {"width": 0}}, "hovertemplate": "%{y:,.2~f}"}  # fmt: skip


def result_chart(
    rows: Rows, currency: str, gaps: Rows, *, palette: Palette, zone: tzinfo, revision: object
) -> Figure | None:
    """Draw the realised result of every day as bars, and their sum as a line; ``None`` without a result.

    Args:
        rows: ``money`` by day.
        zone: Zone whose days are meant.
    """
    days = sorted((row["day"], fmt.binary(row["pnl"])) for row in rows if row["currency"] == currency and row["pnl"])
    found = [(_midnight(day, zone), value) for day, value in days if value is not None][-points.MAX_POINTS :]
    if not found:
        return None
    values = np.array([value for _, value in found], dtype=np.float64)
    t_ms, added = np.array([at for at, _ in found]) + DAY_MS / 2, np.cumsum(values)
    low, high = (float(end) for end in (min(values.min(), added.min(), 0), max(values.max(), added.max(), 0)))
    room = (high - low) * 0.08 or 1.0
    end = float(t_ms[-1]) + DAY_MS / 2
    t_range = (min(float(t_ms[0]) - DAY_MS / 2, end - LEAST_DAYS * DAY_MS), end)
    layout = charts.base_layout(palette, height=RESULT_HEIGHT, left=64, right=116, top=8)
    layout["xaxis"] = _day_axis(t_range, palette)
    layout["yaxis"] = charts.value_axis(palette, range=[low - room, high + room], zeroline=True,
                                        zerolinecolor=palette.hairline)  # fmt: skip
    colors = [palette.green if value >= 0 else palette.red for value in values.tolist()]
    traces: list[Figure] = [
        {"type": "bar", "x": charts.packed(t_ms), "y": charts.packed(values), "name": "day", "width": DAY_MS * 0.65,
         "marker": {"color": colors}, "hovertemplate": "%{y:+,.2f}"},
        charts.line(t_ms, added, palette.text, "sum", mode="lines+markers", hovertemplate="%{y:+,.2f}",
                    marker={"size": 4, "color": palette.text}),
    ]  # fmt: skip
    shapes, labels = charts.gap_marks(gaps, t_range, palette)
    total = fmt.rounded(f"{added[-1]:.8f}", signed=True)
    word = charts.edge_word(f"sum {total}", float(added[-1]), palette.text, bold=True)
    layout["shapes"], layout["annotations"] = shapes, [*labels, word]
    return charts.figure(traces, layout, height=RESULT_HEIGHT, revision=revision)


def _day_axis(t_range: tuple[float, float], palette: Palette) -> Figure:
    days = round((t_range[1] - t_range[0]) / DAY_MS)
    axis = charts.time_axis(palette, t_range, tickformat="%e %b", hoverformat="%e %b", showgrid=False)
    del axis["tickformatstops"], axis["nticks"]
    # A label under the middle of its day, and about seven of them.
    return axis | {"tick0": t_range[0] + DAY_MS / 2, "dtick": DAY_MS * max(1, -(-days // 7))}


def _midnight(day: str, zone: tzinfo) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=zone).timestamp() * 1000
