"""The chart of one episode: the position's panels from the first order to flat, with what moved money marked."""

from typing import Any

import numpy as np

from coindcx_feed.ui import charts, position_chart
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.charts import Figure
from coindcx_feed.ui.points import MAX_POINTS
from coindcx_feed.ui.theme import Palette

Episode = dict[str, Any]


def episode_chart(
    episode: Episode,
    position: dict[str, Any],
    gaps: list[dict[str, Any]],
    *,
    palette: Palette,
    with_liquidation: bool,
    revision: object,
) -> Figure | None:
    """Draw an episode, or nothing when no mark of it is kept.

    Args:
        position: The position as it is now; one that has ended is drawn as it last was.
    """
    shown = position if episode["closed_ms"] is None else _as_it_ended(episode, position)
    drawn = position_chart.position_chart(
        shown,
        episode["series"],
        gaps,
        palette=palette,
        now_ms=episode["end_ms"],
        with_liquidation=with_liquidation,
        revision=revision,
    )
    if drawn is not None:
        drawn["traces"] += [*_extremes(episode["way"], palette), *_fundings(episode["rows"], palette)]
    return drawn


def _as_it_ended(episode: Episode, position: dict[str, Any]) -> dict[str, Any]:
    held = next((row for row in episode["rows"] if row["average"] is not None), None)
    marks = episode["series"]["mark"]
    known = marks[np.isfinite(marks)]
    pnl = episode["series"]["pnl"]
    results = pnl[np.isfinite(pnl)]
    return position | {
        "size": "0",
        "avg_price": None if held is None else held["average"],
        "liquidation_price": None if held is None else held["liquidation"],
        "liquidation_distance": _away(known, None if held is None else held["liquidation"]),
        "mark_price": f"{known[-1]:.10g}" if len(known) else None,
        "unrealized_pnl": f"{results[-1]:.6f}" if len(results) else None,
    }


def _away(marks: charts.Floats, liquidation: str | None) -> float | None:
    price = fmt.binary(liquidation)
    return abs(float(marks[-1]) - price) / float(marks[-1]) if price is not None and len(marks) else None


def _extremes(way: dict[str, Any], palette: Palette) -> list[Figure]:
    marked = []
    for name, symbol, color in (
        ("best", "triangle-up-open", palette.green),
        ("worst", "triangle-down-open", palette.red),
    ):
        if way[name] is not None:
            word = {"best": "largest gain", "worst": "largest loss"}[name]
            points = (np.array([way[f"{name}_ms"]]), np.array([way[name]]))
            marked.append(_points(*points, "y2", symbol, color, word, "%{y:+,.2f}"))
    return marked


def _fundings(rows: list[dict[str, Any]], palette: Palette) -> list[Figure]:
    found = [row for row in rows if row["what"] == "funding"][-MAX_POINTS:]
    if not found:
        return []
    times = np.array([row["t_ms"] for row in found])
    return [_points(times, np.zeros(len(found)), "y2", "diamond-open", palette.yellow, "funding", "settled")]


def _points(x: charts.Floats, y: charts.Floats, axis: str, symbol: str, color: str, name: str, hover: str) -> Figure:
    marker = {"symbol": symbol, "size": 10, "color": color, "line": {"color": color, "width": 1.5}}
    points = {"x": charts.packed(x), "y": charts.packed(y), "yaxis": axis}
    looks = {"marker": marker, "hovertemplate": hover, "name": name}
    return {"type": "scatter", "mode": "markers", **points, **looks}
