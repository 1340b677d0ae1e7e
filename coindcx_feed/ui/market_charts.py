"""The charts of the Market page: bars with their volume, and the depth of the order book. Plain dictionaries."""

from typing import Any, Final

import numpy as np

from coindcx_feed.ui import charts
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.charts import Figure, Floats
from coindcx_feed.ui.theme import Palette

HEIGHT: Final = 400
DEPTH_HEIGHT: Final = 545
PRICE: Final = (0.25, 1.0)
VOLUME: Final = (0.0, 0.17)
"""Shares of the height between the margins."""
MOST_BARS: Final = 2_000
RIGHT: Final = 96
DAY_MS: Final = 86_400_000


def candle_chart(
    bars: dict[str, Any],
    gaps: list[dict[str, Any]],
    *,
    names: tuple[str, str],
    palette: Palette,
    revision: object,
) -> Figure | None:
    """Draw bars where they belong in time: what is missing stays empty, nothing is bridged.

    Args:
        bars: As the service returns them.
        names: Base and quote currency.
    Returns:
        The chart, or ``None`` when there is no bar yet.
    """
    t_ms: Floats = bars["t_ms"][-MOST_BARS:]
    if not len(t_ms):
        return None
    columns = {name: bars[name][-MOST_BARS:] for name in ("open", "high", "low", "close", "volume")}
    length = bars["length_ms"]
    t_range = (float(t_ms[0]) - length / 2, float(t_ms[-1]) + length * 1.5)
    layout = charts.base_layout(palette, height=HEIGHT, right=RIGHT)
    hover = "%e %b %H:%M" if length < DAY_MS else "%e %b %Y"
    layout["xaxis"] = charts.time_axis(palette, t_range, anchor="y2", hoverformat=hover, rangeslider={"visible": False})
    low, high = float(columns["low"].min()), float(columns["high"].max())
    room = (high - low) * 0.06 or high * 0.001
    layout["yaxis"] = charts.value_axis(palette, domain=list(PRICE), range=[low - room, high + room], nticks=6)
    top = float(columns["volume"].max()) or 1.0
    layout["yaxis2"] = charts.value_axis(palette, domain=list(VOLUME), range=[0, top * 1.08], nticks=3, tickformat="~s")
    shapes, labels = charts.gap_marks(gaps, t_range, palette)
    base, quote = (charts.plain(name) for name in names)
    labels += [charts.panel_title(f"Price, {quote}", 1.0, palette)]
    labels += [charts.panel_title(f"Volume, {base}", VOLUME[1], palette)]
    last, color = float(columns["close"][-1]), _color(columns, palette) if bars["is_fresh"] else palette.gray
    word = fmt.figure((bars["newest"] or {}).get("close"))
    labels.append(charts.edge_word(word, last, color, bold=True))
    shapes.append(_level(last, color))
    layout |= {"annotations": labels, "shapes": shapes}
    return charts.figure(_bars(t_ms, columns, length, palette), layout, height=HEIGHT, revision=revision)


def _color(columns: dict[str, Floats], palette: Palette) -> str:
    return palette.green if columns["close"][-1] >= columns["open"][-1] else palette.red


def _level(price: float, color: str) -> Figure:
    line = {"color": color, "width": 1, "dash": "dot"}
    return {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": price, "y1": price, "line": line}


def _bars(t_ms: Floats, columns: dict[str, Floats], length: float, palette: Palette) -> list[Figure]:
    x = charts.packed(t_ms)
    rises = columns["close"] >= columns["open"]
    candles: Figure = {
        "type": "candlestick",
        "x": x,
        **{name: charts.packed(columns[name]) for name in ("open", "high", "low", "close")},
        # Hollow up, filled down: the direction does not depend on telling green from red.
        "increasing": {"line": {"color": palette.green, "width": 1}, "fillcolor": palette.paper},
        "decreasing": {"line": {"color": palette.red, "width": 1}, "fillcolor": palette.red},
        "name": "bar",
        "yaxis": "y",
        "yhoverformat": ",~f",
    }
    traces = [candles]
    for chosen, fill, name in ((rises, palette.green, "volume"), (~rises, palette.red, "volume")):
        if not chosen.any():
            continue
        bar: Figure = {"type": "bar", "x": charts.packed(t_ms[chosen]), "y": charts.packed(columns["volume"][chosen])}
        look = {"marker": {"color": fill, "opacity": 0.5, "line": {"width": 0}}, "width": length * 0.72}
        traces.append(bar | look | {"yaxis": "y2", "name": name, "hovertemplate": "%{y:,~f}"})
    return traces


def depth_chart(book: dict[str, Any], *, names: tuple[str, str], palette: Palette, revision: object) -> Figure | None:
    """Draw the cumulated sizes of both sides over the price; ``None`` when a side is empty."""
    bids, asks = book["bid_depth"], book["ask_depth"]
    if not len(bids["price"]) or not len(asks["price"]):
        return None
    is_old = book["state"] == "old"
    base, quote = (charts.plain(name) for name in names)
    middle = (float(bids["price"][0]) + float(asks["price"][0])) / 2
    reach = max(middle - float(bids["price"].min()), float(asks["price"].max()) - middle) or middle * 0.001
    most = max(float(bids["total"][-1]), float(asks["total"][-1])) or 1.0
    layout = charts.base_layout(palette, height=DEPTH_HEIGHT, right=18)
    axis = charts.value_axis(palette, range=[middle - reach * 1.02, middle + reach * 1.02], nticks=7)
    layout["xaxis"] = axis | {"hoverformat": ",~f"}
    layout["yaxis"] = charts.value_axis(palette, range=[0, most * 1.08])
    labels = [charts.panel_title(f"Size up to a price, {base}; price in {quote}", 1.0, palette)]
    words = ((f"bids {_short(bids)} {base}", 0.02, "left"), (f"{_short(asks)} {base} asks", 0.98, "right"))
    for (text, x, anchor), color in zip(words, (palette.green, palette.red), strict=True):
        label = charts.panel_title(text, 0.94, palette)
        label["font"] = label["font"] | {"color": palette.gray if is_old else color, "weight": 600}
        labels.append(label | {"x": x, "xanchor": anchor})
    layout["annotations"] = labels
    looks = [(palette.green, palette.gain_fill), (palette.red, palette.loss_fill)]
    if is_old:
        looks = [(palette.gray, palette.gap_fill)] * 2
    sides = zip((bids, asks), looks, ("bids", "asks"), strict=True)
    traces = [_side(side, *look, name) for side, look, name in sides]
    return charts.figure(traces, layout, height=DEPTH_HEIGHT, revision=revision)


def _short(side: dict[str, Floats]) -> str:
    return f"{float(side['total'][-1]):,.4g}" if side["total"][-1] < 1_000 else f"{float(side['total'][-1]):,.0f}"


def _side(side: dict[str, Floats], color: str, fill: str, name: str) -> Figure:
    # From the best price outwards: up to the next price the sum stays, so it goes on level and then up.
    price = np.concatenate([side["price"][:1], side["price"]])
    total = np.concatenate([[0.0], side["total"]])
    looks: Figure = {"fill": "tozeroy", "fillcolor": fill, "line": {"shape": "hv"}}
    return charts.line(price, total, color, name, **looks)
