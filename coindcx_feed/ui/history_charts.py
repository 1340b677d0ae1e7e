"""Charts of a past range: how busy it was, what was earned per day. Balances are drawn as on their own page."""

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from coindcx_feed.ui import charts, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.charts import Figure
from coindcx_feed.ui.theme import Palette

HEIGHT: Final = 300
DATED_MS: Final = 2 * 86_400_000
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


def result_chart(rows: Rows, currency: str, *, palette: Palette, revision: object) -> Figure | None:
    """Draw the realised result of every day as bars, and their sum as a line; ``None`` without a result.

    Args:
        rows: ``money`` by day.
    """
    days = sorted((row["day"], fmt.binary(row["pnl"])) for row in rows if row["currency"] == currency and row["pnl"])
    found = [(day, value) for day, value in days if value is not None]
    if not found:
        return None
    values = np.array([value for _, value in found], dtype=np.float64)
    names, added = [_day(day) for day, _ in found], np.cumsum(values)
    low, high = (float(end) for end in (min(values.min(), added.min(), 0), max(values.max(), added.max(), 0)))
    room = (high - low) * 0.08 or 1.0
    layout = charts.base_layout(palette, height=HEIGHT, left=64, right=116, top=8)
    layout["xaxis"] = {"type": "category", "linecolor": palette.hairline, "showline": True, "ticks": "", "nticks": 9}
    layout["yaxis"] = charts.value_axis(palette, range=[low - room, high + room], zeroline=True,
                                        zerolinecolor=palette.hairline)  # fmt: skip
    layout["bargap"] = 0.35
    colors = [palette.green if value >= 0 else palette.red for value in values.tolist()]
    traces: list[Figure] = [
        {"type": "bar", "x": names, "y": charts.packed(values), "name": "day", "marker": {"color": colors},
         "hovertemplate": "%{y:+,.2f}"},
        {"type": "scatter", "mode": "lines+markers", "x": names, "y": charts.packed(added), "name": "sum",
         "line": {"color": palette.text, "width": 1.6}, "marker": {"size": 4, "color": palette.text},
         "hovertemplate": "%{y:+,.2f}"},
    ]  # fmt: skip
    total = fmt.rounded(f"{added[-1]:.8f}", signed=True)
    layout["annotations"] = [charts.edge_word(f"sum {total}", float(added[-1]), palette.text, bold=True)]
    return charts.figure(traces, layout, height=HEIGHT, revision=revision)


def _day(text: str) -> str:
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return f"{at.day} {at:%b}"
