"""Charts of the feed's own health: events per type and the delay from the exchange to here."""

from typing import Any, Final

import numpy as np

from coindcx_feed.ui import charts, theme
from coindcx_feed.ui.charts import Figure
from coindcx_feed.ui.theme import Palette

HEIGHT: Final = 280
KINDS: Final = ("order", "position", "balance")
MIN_BUCKETS: Final = 10
DOMAINS: Final = ((0.70, 1.0), (0.35, 0.65), (0.0, 0.30))


def rates_chart(rates: dict[str, Any], gaps: list[dict[str, Any]], *, palette: Palette, now_ms: float) -> Figure:
    """Draw events per bucket, one panel per type on one scale."""
    bucket_ms = rates["bucket_s"] * 1000
    t_ms = rates["t_ms"] + bucket_ms / 2
    t_range = (_first(rates["t_ms"], sum(rates[kind] for kind in KINDS) > 0), max(now_ms, float(rates["t_ms"][-1])))
    top = max([1.0, *(float(np.max(rates[kind])) for kind in KINDS)]) * 1.12
    layout = charts.base_layout(palette, height=HEIGHT, left=34, right=104, top=8)
    layout |= {"xaxis": charts.time_axis(palette, t_range, anchor="y3"), "bargap": 0.12, "hoversubplots": "axis"}
    shapes, labels = charts.gap_marks(gaps, t_range, palette)
    traces = []
    for index, (kind, domain) in enumerate(zip(KINDS, DOMAINS, strict=True)):
        axis = "y" if index == 0 else f"y{index + 1}"
        color = getattr(palette, theme.TYPE_COLORS[kind])
        layout[axis.replace("y", "yaxis")] = charts.value_axis(palette, domain=list(domain), range=[0, top], nticks=3)
        traces.append(_bars(t_ms, rates[kind], color, kind, axis))
        word = f"{theme.type_label(kind)}<br>{int(rates[kind][-2:].max())} / {rates['bucket_s']} s"
        labels.append(charts.edge_word(word, sum(domain) / 2, color) | {"yref": "paper"})
    layout["annotations"], layout["shapes"] = labels, shapes
    revision = (palette.name, rates["t_ms"][-1], *(int(rates[kind].sum()) for kind in KINDS), len(shapes))
    return charts.figure(traces, layout, height=HEIGHT, revision=revision)


def _first(t_ms: charts.Floats, known: Any) -> float:
    # From the first bucket with something in it: an hour of nothing before the start tells nothing.
    return float(t_ms[min(int(np.argmax(known)), len(t_ms) - MIN_BUCKETS)])


def _bars(t_ms: charts.Floats, counts: Any, color: str, kind: str, axis: str) -> Figure:
    return {"type": "bar", "x": charts.packed(t_ms), "y": charts.packed(counts), "name": kind, "yaxis": axis,
            "marker": {"color": color}, "hovertemplate": "%{y}"}  # fmt: skip


def delays_chart(
    delays: dict[str, Any], gaps: list[dict[str, Any]], *, palette: Palette, now_ms: float
) -> Figure | None:
    """Draw the delay's percentiles per bucket; ``None`` when no event carried a stamp."""
    if not np.isfinite(delays["p50"]).any():
        return None
    t_ms = delays["t_ms"]
    t_range = (_first(t_ms, np.isfinite(delays["p50"])), max(now_ms, float(t_ms[-1])))
    known = np.concatenate([delays[name] for name in ("p50", "p95", "p99")])
    known = known[np.isfinite(known)]
    low, high = min(0.0, float(known.min()) * 1.1), max(float(known.max()) * 1.12, 1.0)
    layout = charts.base_layout(palette, height=HEIGHT, left=48, right=84, top=8)
    layout["xaxis"] = charts.time_axis(palette, t_range, nticks=6)
    layout["yaxis"] = charts.value_axis(palette, range=[low, high])
    shapes, labels = charts.gap_marks(gaps, t_range, palette)
    lines = (("p99", palette.gray, "dot", 1.2), ("p95", palette.text, "dash", 1.2), ("p50", palette.text, "solid", 2.0))
    # Single buckets between empty ones would be invisible as a line alone.
    traces = [
        charts.line(
            t_ms,
            delays[name],
            color,
            name,
            dash=dash,
            width=width,
            mode="lines+markers",
            marker={"size": 3, "color": color},
        )
        for name, color, dash, width in lines
    ]
    labels += _delay_words(delays, lines, low, high)
    layout["annotations"], layout["shapes"] = labels, shapes
    revision = (palette.name, delays["t_ms"][-1], float(known.sum()), len(known), len(shapes))
    return charts.figure(traces, layout, height=HEIGHT, revision=revision)


def _delay_words(delays: dict[str, Any], lines: Any, low: float, high: float) -> list[Figure]:
    words = []
    for name, color, _, _ in lines:
        finite = delays[name][np.isfinite(delays[name])]
        if len(finite):
            words.append((float(finite[-1]), f"{name} {finite[-1]:,.0f}", color))
    span = HEIGHT - 36.0
    shifts = charts.spread([(y - low) / (high - low) * span for y, *_ in words], span, 15.0)
    return [
        charts.edge_word(text, y, color, yshift=shift) for (y, text, color), shift in zip(words, shifts, strict=True)
    ]
