"""The lifecycle of one order: filled quantity as steps against the quantity ordered."""

from typing import Any, Final

import numpy as np

from coindcx_feed.ui import charts, points, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.charts import Figure, Floats
from coindcx_feed.ui.theme import Palette

HEIGHT: Final = 250
LABELS: Final = 8
"""Steps that get words; more would cover one another."""

Order = dict[str, Any]
Step = dict[str, Any]


def order_chart(
    order: Order,
    steps: list[Step],
    gaps: list[dict[str, Any]],
    *,
    palette: Palette,
    now_ms: float,
    revision: object,
) -> Figure | None:
    """Draw an order.

    Args:
        steps: Its updates, oldest first, times in Unix ms.
        gaps: Times away from the exchange; a step may have been missed there.
        now_ms: The line of an order that still works reaches to now.
    Returns:
        The chart, or ``None`` when no update is kept.
    """
    if not steps:
        return None
    times = [step["t_ms"] for step in steps]
    end_ms = times[-1] if order["is_terminal"] else max(now_ms, times[-1])
    # A market order lives for a blink: give it room to be seen.
    room = max((end_ms - times[0]) * 0.03, 250.0)
    t_range = (times[0] - room, end_ms + room)
    t_ms = np.array([*times, end_ms], dtype=np.float64)
    filled = np.array([*(step["filled"] for step in steps), steps[-1]["filled"]], dtype=np.float64)
    total = fmt.binary(order["quantity"]) or 0.0
    base = charts.plain((order["pair"] or "").partition("-")[2].partition("_")[0])

    layout = charts.base_layout(palette, height=HEIGHT, left=56)
    layout["xaxis"] = charts.time_axis(palette, t_range)
    layout["yaxis"] = charts.value_axis(
        palette,
        range=[0, max(total, float(np.nanmax(filled)) if np.isfinite(filled).any() else 0) * 1.18 or 1],
        nticks=4,
    )
    shapes, labels = charts.gap_marks(gaps, t_range, palette)
    layout["shapes"] = [*shapes, _ordered(total, palette)]
    layout["annotations"] = [
        *labels,
        charts.panel_title(f"Filled quantity, {base}", 1.0, palette),
        charts.edge_word(f"ordered {fmt.number(order['quantity'])}", total, palette.gray),
        *_filled_word(order, steps, total, palette),
        *_step_words(steps, t_ms, palette),
    ]
    at_ms, line = points.broken(t_ms, filled, gaps, end_ms)
    # Zero inside holes: a fill would bridge them where a line breaks.
    area: Figure = {"fill": "tozeroy", "fillcolor": palette.order_fill, "line": {"shape": "hv", "width": 0}}
    traces = [
        charts.line(at_ms, np.nan_to_num(line), palette.blue, "area", hoverinfo="skip", **area),
        charts.line(at_ms, line, palette.blue, "filled", width=2, line={"shape": "hv"}),
        _points(steps, t_ms, palette),
    ]
    return charts.figure(traces, layout, height=HEIGHT, revision=revision)


def _ordered(total: float, palette: Palette) -> Figure:
    where = {"xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": total, "y1": total}
    return {"type": "line", **where, "line": {"color": palette.gray, "width": 1.2, "dash": "dash"}, "layer": "below"}


def _filled_word(order: Order, steps: list[Step], total: float, palette: Palette) -> list[Figure]:
    filled = steps[-1]["filled"]
    if not np.isfinite(filled) or not total:
        return []
    height = filled / (total * 1.18) * (HEIGHT - 52)
    apart = charts.spread([height, total / (total * 1.18) * (HEIGHT - 52)], HEIGHT - 52, 16.0)
    text = f"filled {fmt.number(order['filled_quantity'])} · {fmt.percent(order['filled_share'], places=0)}"
    # A full order puts both words at one height: the filled one goes below.
    shift = -16 if filled >= total else apart[0]
    return [charts.edge_word(text, filled, palette.blue, bold=True, yshift=shift)]


def _step_words(steps: list[Step], t_ms: Floats, palette: Palette) -> list[Figure]:
    labels: list[Figure] = []
    before = None
    for step, at in zip(steps, t_ms, strict=False):
        if not np.isfinite(step["filled"]):
            continue
        grew = before is not None and step["filled"] > before
        text = ""
        if grew:
            price = f" at {fmt.number(step['avg_price'])}" if step["avg_price"] else ""
            text = fmt.number(f"{step['filled']:.10f}".rstrip("0").rstrip(".")) + price
        elif step["status"] in ("open", "untriggered", "cancelled", "rejected", "partially_cancelled"):
            text = theme.status_label(step["status"])
        before = step["filled"]
        if text:
            where = {
                "xref": "x",
                "yref": "y",
                "xanchor": "left" if not labels else "center",
                "yanchor": "bottom",
                "yshift": 7,
            }
            font = {"color": palette.text, "size": 11}
            labels.append(
                {
                    "text": charts.plain(text),
                    "x": float(at),
                    "y": step["filled"],
                    "showarrow": False,
                    "font": font,
                    **where,
                }
            )
    return labels[-LABELS:]


def _points(steps: list[Step], t_ms: Floats, palette: Palette) -> Figure:
    marker = {"size": 9, "color": palette.paper, "line": {"color": palette.blue, "width": 2}}
    filled = np.array([step["filled"] for step in steps], dtype=np.float64)
    chosen = points.kept(filled)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": charts.packed(t_ms[chosen]),
        "y": charts.packed(filled[chosen]),
        "text": [charts.plain(theme.words(steps[place]["status"] or "")) for place in chosen.tolist()],
        "name": "status",
        "marker": marker,
        "hovertemplate": "%{text}",
    }
