"""What all charts share: the component that draws them, axes, words at the right edge, gaps. Plain dictionaries.

One component for every chart: ``Plotly.react`` with a constant ``uirevision`` keeps zoom and pan while data moves,
which no chart element of Streamlit does. The library comes from this server, so that charts work offline.
"""

import base64
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import plotly

from coindcx_feed.ui import chart_zone, reader, scripts
from coindcx_feed.ui.format import duration, is_indian, visible
from coindcx_feed.ui.points import thin
from coindcx_feed.ui.theme import Palette

Floats = npt.NDArray[np.float64]
Figure = dict[str, Any]

PLOTLY_PATH: Final = f"/assets/plotly-{plotly.__version__}.min.js"
RIGHT_ROOM: Final = 150
"""Pixels for the words at the right edge."""


def figure(traces: list[Figure], layout: Figure, *, height: int, revision: object) -> Figure:
    """Put a chart together.

    Args:
        revision: Anything whose text changes exactly when the drawing must; what does not move costs nothing.
    """
    return {"traces": traces, "layout": layout, "height": height, "revision": str(revision)}


def in_currency(chart: Figure, currency: str | None) -> Figure:
    """Let the axes of a chart group its amounts as the reader wants that currency to be read."""
    if not is_indian(currency):
        return chart
    return {**chart, "grouping": "indian", "revision": f"{chart['revision']} indian"}


def show(chart: Figure, *, key: str, alt: str) -> None:
    """Render a chart.

    Args:
        alt: What a screen reader says instead of the drawing.
    """
    shown = chart_zone.moved(chart, reader.zone(), reader.browser_zone())
    _component()(key=key, data={**shown, "src": PLOTLY_PATH, "alt": alt})


@cache
def _component() -> Callable[..., Any]:
    # Without a shadow root: Plotly puts its style rules into the document.
    return scripts.component("chart", html='<div class="chart">\n</div>', isolate_styles=False)


def packed(values: npt.NDArray[Any]) -> Figure:
    """Encode an array as Plotly reads it: 25 times cheaper than a list of numbers."""
    floats = np.ascontiguousarray(values, dtype="<f8")
    return {"dtype": "f8", "bdata": base64.b64encode(floats.tobytes()).decode()}


def base_layout(palette: Palette, *, height: int, left: int = 58, right: int = RIGHT_ROOM, top: int = 24) -> Figure:
    """Return what every chart has in common: paper, font, margins, hover, and the constant ``uirevision``."""
    return {
        "uirevision": "keep",
        "height": height,
        "paper_bgcolor": palette.paper,
        "plot_bgcolor": palette.paper,
        "font": {"color": palette.gray, "size": 12},
        "margin": {"l": left, "r": right, "t": top, "b": 28, "pad": 0},
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": palette.panel, "bordercolor": palette.hairline},
        "dragmode": "zoom",
        "annotations": [],
        "shapes": [],
    }


def time_axis(palette: Palette, t_range: tuple[float, float], **more: Any) -> Figure:
    """Return a time axis over a range of Unix ms. Plotly knows the browser's zone only; ``show`` moves them."""
    return {
        "type": "date",
        "range": list(t_range),
        "gridcolor": palette.grid,
        "linecolor": palette.hairline,
        "showline": True,
        "zeroline": False,
        "ticks": "",
        "nticks": 9,
        "tickformatstops": [
            {"dtickrange": [None, 1_000], "value": "%H:%M:%S.%1f"},
            {"dtickrange": [1_000, 60_000], "value": "%H:%M:%S"},
            {"dtickrange": [60_000, 86_400_000], "value": "%H:%M"},
            {"dtickrange": [86_400_000, None], "value": "%e %b"},
        ],
        "hoverformat": "%H:%M:%S",
        **more,
    }


def value_axis(palette: Palette, **more: Any) -> Figure:
    return {
        "gridcolor": palette.grid,
        "linecolor": palette.hairline,
        "showline": True,
        "zeroline": False,
        "tickformat": ",~f",
        "nticks": 5,
        **more,
    }


def panel_title(text: str, y: float, palette: Palette) -> Figure:
    """Return the small title at a panel's upper left, unit included."""
    return _words(text, 0.0, y, palette.gray, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=4)


def edge_word(text: str, y: float, color: str, *, axis: str = "y", bold: bool = False, yshift: int = 0) -> Figure:
    """Return a value at the right edge in its trace's colour."""
    # Bold by weight, not by markup: nothing here is written as HTML.
    return _words(
        text,
        1.0,
        y,
        color,
        xref="paper",
        yref=axis,
        xanchor="left",
        xshift=8,
        yshift=yshift,
        weight=600 if bold else 400,
    )


def plain(text: str) -> str:
    """Make a feed text safe for a chart, whose labels understand a little markup."""
    return visible(text, 60).replace("<", "‹").replace(">", "›").replace("&", "＆")


def _words(text: str, x: float, y: float, color: str, *, weight: int = 400, **where: Any) -> Figure:
    font = {"color": color, "size": 12, "weight": weight}
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": font, "align": "left", **where}


def line(
    t_ms: Floats,
    y: Floats,
    color: str,
    name: str,
    *,
    axis: str = "y",
    dash: str = "solid",
    width: float = 1.6,
    **more: Any,
) -> Figure:
    """Return a line of at most ``points.MAX_POINTS`` that breaks at holes instead of bridging them."""
    t_ms, y = thin(t_ms, y)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": packed(t_ms),
        "y": packed(y),
        "name": name,
        "yaxis": axis,
        "connectgaps": False,
        "line": {"color": color, "width": width, "dash": dash, **more.pop("line", {})},
        "hovertemplate": "%{y:,~f}",
        **more,
    }


def gap_marks(
    gaps: list[dict[str, Any]], t_range: tuple[float, float], palette: Palette
) -> tuple[list[Figure], list[Figure]]:
    """Return shapes and labels of the times away from the exchange: the same everywhere.

    Args:
        t_range: Unix ms; gaps outside are left out, and one that is still open ends with the range.
    """
    shapes, labels = [], []
    for gap in gaps:
        begin, end = gap["from_ms"], t_range[1] if gap["to_ms"] is None else gap["to_ms"]
        lasted_s = (end - begin) / 1000
        if end < t_range[0] or begin > t_range[1]:
            continue
        begin, end = max(begin, t_range[0]), min(end, t_range[1])
        # Nobody wanted to watch: no failure, and no colour of one.
        word, color = ("not watching", palette.gray) if gap.get("is_on_demand") else ("gap", palette.yellow)
        shapes.append(_gap_shape(begin, end, color, palette))
        if (end - begin) > 0.02 * (t_range[1] - t_range[0]):
            where: Figure = {"xref": "x", "yref": "paper", "xanchor": "right", "yanchor": "top", "xshift": -4}
            label = _words(f"{word} {duration(lasted_s)}", begin, 1.0, color, **where)
            labels.append(label | {"bgcolor": palette.paper})
    return shapes, labels


def gaps_revision(gaps: list[dict[str, Any]], now_ms: float) -> tuple[int, int | None]:
    """Return what changes when the shading must: a gap more, and every 2 s while one lasts (nothing else moves then).

    Args:
        gaps: Newest first.
    """
    is_away = bool(gaps) and gaps[0]["to_ms"] is None
    return len(gaps), int(now_ms / 2_000) if is_away else None


def _gap_shape(begin: float, end: float, color: str, palette: Palette) -> Figure:
    edge = {"color": color, "width": 1, "dash": "dot"}
    return {"type": "rect", "xref": "x", "yref": "paper", "x0": begin, "x1": end, "y0": 0, "y1": 1,
            "fillcolor": palette.gap_fill, "line": edge, "layer": "below"}  # fmt: skip


def spread(ys: list[float], span: float, least: float) -> list[int]:
    """Return vertical shifts in pixels that keep words at the edge apart.

    Args:
        ys: Heights in pixels from the bottom.
        span: Height of the panel in pixels.
        least: Smallest distance between two words.
    """
    order = sorted(range(len(ys)), key=lambda index: ys[index])
    placed: dict[int, float] = {}
    floor = 0.0
    for index in order:
        placed[index] = max(ys[index], floor)
        floor = placed[index] + least
    ceiling = span
    for index in reversed(order):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - least
    return [round(placed[index] - ys[index]) for index in range(len(ys))]
