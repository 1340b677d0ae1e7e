"""The chart of one position: price with average and liquidation, computed PnL, size, over one time axis."""

from typing import Any, Final

import numpy as np

from coindcx_feed.ui import charts, points, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.charts import Figure, Floats
from coindcx_feed.ui.theme import Palette

HEIGHT: Final = 500
TOP: Final = 24
BOTTOM: Final = 28
DOMAINS: Final = ((0.47, 1.0), (0.185, 0.41), (0.0, 0.125))
"""Price, PnL, size: shares of the height between the margins."""

Position = dict[str, Any]
Series = dict[str, Any]


def position_chart(
    position: Position,
    series: Series,
    gaps: list[dict[str, Any]],
    *,
    palette: Palette,
    now_ms: float,
    with_liquidation: bool,
    revision: object,
) -> Figure | None:
    """Draw a position.

    Args:
        series: As the service returns it; times in Unix ms, holes where no mark was fresh.
        with_liquidation: Put the liquidation price in range instead of naming it at the edge.
    Returns:
        The chart, or ``None`` when there is nothing to draw yet.
    """
    names = ("mark", "avg", "liquidation", "size", "pnl")
    t_ms = series["t_ms"]
    known = np.isfinite(series["mark"])
    if not known.any():
        return None
    # Without marks there was no feed: what stands beside them is as old as they are.
    data = {name: np.where(known, series[name], np.nan) for name in names}
    t_range = (float(t_ms[known][0]), now_ms)
    base = charts.plain(position["pair"].partition("-")[2].partition("_")[0])
    quote = charts.plain(position["quote"])

    layout = charts.base_layout(palette, height=HEIGHT, top=TOP)
    layout |= {"xaxis": charts.time_axis(palette, t_range, anchor="y3"), "hoversubplots": "axis"}
    shapes, labels = charts.gap_marks(gaps, t_range, palette)
    titles = [f"Price, {quote}", f"Unrealised PnL (computed), {quote}", f"Size, {base}"]
    labels += [charts.panel_title(text, top, palette) for text, (_, top) in zip(titles, DOMAINS, strict=True)]
    traces: list[Figure] = []
    for panel in (
        _price(position, data, t_ms, palette, with_liquidation),
        _pnl(position, data, t_ms, palette),
        _size(position, data, t_ms, palette, base),
    ):
        traces += panel[0]
        labels += panel[1]
        layout |= panel[2]
    traces += _fills(series["fills"], data["mark"], t_ms, palette, t_range)
    layout["annotations"], layout["shapes"] = labels, shapes
    return charts.figure(traces, layout, height=HEIGHT, revision=revision)


Panel = tuple[list[Figure], list[Figure], Figure]


def _price(
    position: Position, data: dict[str, Floats], t_ms: Floats, palette: Palette, with_liquidation: bool
) -> Panel:
    liquidation = fmt.binary(position["liquidation_price"])
    shown = [data["mark"], data["avg"]]
    traces = [
        charts.line(t_ms, data["avg"], palette.violet, "average", dash="dash", line={"shape": "hv"}),
        charts.line(t_ms, data["mark"], palette.text, "mark"),
    ]
    if with_liquidation and liquidation is not None:
        shown.append(data["liquidation"])
        traces.append(
            charts.line(t_ms, data["liquidation"], palette.red, "liquidation", dash="dashdot", line={"shape": "hv"})
        )
    low, high = _range(np.concatenate(shown))
    words = [(_last(data["mark"]), f"mark {fmt.figure(position['mark_price'])}", palette.text, True)]
    if position["avg_price"]:
        words.append((_last(data["avg"]), f"avg {fmt.figure(position['avg_price'])}", palette.violet, False))
    if liquidation is not None:
        text = f"liq {fmt.figure(position['liquidation_price'])}"
        if not low <= liquidation <= high:
            arrow = "↓" if liquidation < low else "↑"
            text = f"{arrow} {text}, {fmt.percent(position['liquidation_distance'])}"
        words.append((min(max(liquidation, low), high), text, palette.red, False))
    labels = _edge(words, low, high, DOMAINS[0], "y")
    return traces, labels, {"yaxis": charts.value_axis(palette, domain=list(DOMAINS[0]), range=[low, high])}


def _pnl(position: Position, data: dict[str, Floats], t_ms: Floats, palette: Palette) -> Panel:
    pnl = data["pnl"]
    at_ms, filled = _without_bridges(t_ms, pnl)
    gain, loss = np.where(filled > 0, filled, 0.0), np.where(filled < 0, filled, 0.0)
    quiet: Figure = {"line": {"width": 0}, "hoverinfo": "skip", "hovertemplate": None, "fill": "tozeroy"}
    traces = [
        charts.line(at_ms, gain, palette.green, "gain", axis="y2", fillcolor=palette.gain_fill, **quiet),
        charts.line(at_ms, loss, palette.red, "loss", axis="y2", fillcolor=palette.loss_fill, **quiet),
        charts.line(t_ms, pnl, palette.text, "PnL", axis="y2", width=1.1, hovertemplate="%{y:+,.2f}"),
    ]
    low, high = _range(np.append(pnl, 0.0))
    color = {"gain": palette.green, "loss": palette.red}.get(_sign(position["unrealized_pnl"]), palette.gray)
    if not position["mark_is_fresh"]:
        color = palette.gray
    words = [(_last(pnl), fmt.rounded(position["unrealized_pnl"], signed=True), color, True)]
    axis = charts.value_axis(
        palette, domain=list(DOMAINS[1]), range=[low, high], nticks=4, zeroline=True, zerolinecolor=palette.gray
    )
    return traces, _edge(words, low, high, DOMAINS[1], "y2"), {"yaxis2": axis}


def _without_bridges(t_ms: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return the values with a drop to zero at both ends of every hole: a fill would bridge it where a line breaks."""
    known = np.isfinite(values)
    ends = np.flatnonzero(known[1:] & ~known[:-1]) + 1
    starts = np.flatnonzero(known[:-1] & ~known[1:])
    times = np.concatenate([t_ms, t_ms[starts], t_ms[ends]])
    order = np.argsort(np.concatenate([np.arange(len(t_ms)) * 1.0, starts + 0.25, ends - 0.25]))
    filled = np.concatenate([np.nan_to_num(values), np.zeros(len(starts) + len(ends))])
    return times[order], filled[order]


def _sign(text: str | None) -> str:
    value = fmt.decimal(text)
    return "" if not value else "gain" if value > 0 else "loss"


def _size(position: Position, data: dict[str, Floats], t_ms: Floats, palette: Palette, base: str) -> Panel:
    low, high = _range(np.append(data["size"], 0.0))
    trace = charts.line(t_ms, data["size"], palette.violet, "size", axis="y3", line={"shape": "hv"})
    words = [(_last(data["size"]), f"{fmt.number(position['size'])} {base}", palette.violet, False)]
    axis = charts.value_axis(palette, domain=list(DOMAINS[2]), range=[low, high], nticks=3)
    return [trace], _edge(words, low, high, DOMAINS[2], "y3"), {"yaxis3": axis}


def _edge(
    words: list[tuple[float, str, str, bool]], low: float, high: float, domain: tuple[float, float], axis: str
) -> list[Figure]:
    span = (domain[1] - domain[0]) * (HEIGHT - TOP - BOTTOM)
    known = [word for word in words if np.isfinite(word[0])]
    heights = [(y - low) / (high - low) * span for y, *_ in known]
    shifts = charts.spread(heights, span, 15.0)
    return [
        charts.edge_word(text, y, color, axis=axis, bold=bold, yshift=shift)
        for (y, text, color, bold), shift in zip(known, shifts, strict=True)
    ]


def _fills(
    fills: list[dict[str, Any]],
    mark: Floats,
    t_ms: Floats,
    palette: Palette,
    t_range: tuple[float, float],
) -> list[Figure]:
    known = np.isfinite(mark)
    found = [fill for fill in fills if t_range[0] <= fill["t_ms"]]
    traces = []
    for side, symbol, color in (("buy", "triangle-up", palette.green), ("sell", "triangle-down", palette.red)):
        times = np.array([fill["t_ms"] for fill in found if fill["side"] == side])
        if not len(times):
            continue
        prices = np.array([fill["price"] for fill in found if fill["side"] == side])
        chosen = points.kept(prices)
        times, prices = times[chosen], prices[chosen]
        # A fill that reduced the position does not tell its price: it is drawn on the mark.
        prices = np.where(np.isnan(prices), np.interp(times, t_ms[known], mark[known]), prices)
        marker = {"symbol": symbol, "size": 9, "color": color, "line": {"color": palette.paper, "width": 1}}
        place = {"x": charts.packed(times), "y": charts.packed(prices), "yaxis": "y"}
        looks = {"marker": marker, "hovertemplate": "%{y:,~f}", "name": theme.words(side)}
        traces.append({"type": "scatter", "mode": "markers", **place, **looks})
    return traces


def _range(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    room = (high - low) * 0.08 or abs(high) * 0.01 or 1.0
    return low - room, high + room


def _last(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else float("nan")
