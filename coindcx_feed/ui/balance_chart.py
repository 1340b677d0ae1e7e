"""The history of one wallet: total, available and locked as steps, because a balance holds until the next event."""

from typing import Any, Final

import numpy as np

from coindcx_feed.ui import charts, points
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.charts import Figure, Floats
from coindcx_feed.ui.theme import Palette

HEIGHT: Final = 420

Balance = dict[str, Any]


def balance_chart(
    balance: Balance,
    series: dict[str, Floats],
    gaps: list[dict[str, Any]],
    *,
    palette: Palette,
    since_ms: float,
    now_ms: float,
    revision: object,
) -> Figure | None:
    """Draw a wallet from ``since_ms``, or from its first event if that is later, until now; ``None`` without events."""
    names = ("total", "available", "locked")
    if not len(series["t_ms"]):
        return None
    t_ms, columns = series["t_ms"], [series[name] for name in names]
    # The last value holds until now, the one before the window from its beginning.
    begin_ms = max(float(t_ms[0]), since_ms)
    times = np.append(np.maximum(t_ms, begin_ms), now_ms)
    data = {name: np.append(column, column[-1]) for name, column in zip(names, columns, strict=True)}
    t_range = (begin_ms, now_ms)
    high = max(float(np.nanmax(data["total"])), 1e-9) * 1.08

    layout = charts.base_layout(palette, height=HEIGHT, left=70, right=150)
    layout["xaxis"] = charts.time_axis(palette, t_range)
    layout["yaxis"] = charts.value_axis(palette, range=[0, high])
    shapes, labels = charts.gap_marks(gaps, t_range, palette)
    layout["shapes"] = shapes
    layout["annotations"] = [
        *labels,
        charts.panel_title(charts.plain(balance["currency"]), 1.0, palette),
        *_words(balance, data, high, palette),
    ]
    looks = (
        ("locked", palette.gray, "dot", 1.6),
        ("available", palette.green, "solid", 2.0),
        ("total", palette.text, "solid", 2.0),
    )
    traces = [
        charts.line(
            *points.broken(times, data[name], gaps, now_ms), color, name, dash=dash, width=width, line={"shape": "hv"}
        )
        for name, color, dash, width in looks
    ]
    drawn = charts.figure(traces, layout, height=HEIGHT, revision=revision)
    return charts.in_currency(drawn, balance["currency"])


def _words(balance: Balance, data: dict[str, Floats], high: float, palette: Palette) -> list[Figure]:
    colors = {"total": palette.text, "available": palette.green, "locked": palette.gray}
    span = HEIGHT - 52.0
    ys = [float(data[name][-1]) for name in colors]
    texts = {name: fmt.in_currency(fmt.rounded(balance[name]), balance["currency"]) for name in colors}
    shifts = charts.spread([y / high * span for y in ys], span, 15.0)
    return [
        charts.edge_word(f"{name} {texts[name]}", y, color, bold=name == "total", yshift=shift)
        for (name, color), y, shift in zip(colors.items(), ys, shifts, strict=True)
    ]
