"""Time axes in another zone than the browser's: Plotly knows the browser's only, so the figures are moved. Pure."""

import base64
from datetime import tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from coindcx_feed.ui import format as fmt

Figure = dict[str, Any]
Floats = npt.NDArray[np.float64]


def moved(chart: Figure, zone: tzinfo, browser: tzinfo) -> Figure:
    """Return a chart whose time axes show ``zone`` in a browser that lives in another one; the same when they agree.

    Args:
        chart: What ``charts.figure`` put together, times in Unix ms. It is left as it is.
    """
    if str(zone) == str(browser):
        return chart
    layout = dict(chart["layout"])
    timed = {name.replace("axis", "") for name, axis in layout.items() if _is_time(name, axis)}
    for name in timed:
        axis = layout[_axis(name)]
        layout[_axis(name)] = {**axis, "range": _moved(axis["range"], zone, browser)}
    for part in ("shapes", "annotations"):
        layout[part] = [_placed(each, timed, zone, browser) for each in layout.get(part, ())]
    # What the reader zoomed into in one zone is another time in the next.
    layout["uirevision"] = f"{layout['uirevision']} {zone}"
    traces = [_trace(trace, timed, zone, browser) for trace in chart["traces"]]
    return {**chart, "traces": traces, "layout": layout, "revision": f"{chart['revision']} {zone}"}


def _is_time(name: str, axis: Any) -> bool:
    return name.startswith("xaxis") and axis.get("type") == "date" and "range" in axis


def _axis(name: str) -> str:
    return f"xaxis{name[1:]}"


def _trace(trace: Figure, timed: set[str], zone: tzinfo, browser: tzinfo) -> Figure:
    times = trace.get("x")
    if trace.get("xaxis", "x") not in timed or times is None:
        return trace
    if not isinstance(times, dict):
        return {**trace, "x": _moved(times, zone, browser)}
    found = np.frombuffer(base64.b64decode(times["bdata"]), "<f8")
    there = found + shift_ms(found, zone, browser)
    return {**trace, "x": {**times, "bdata": base64.b64encode(there.astype("<f8").tobytes()).decode()}}


def _placed(part: Figure, timed: set[str], zone: tzinfo, browser: tzinfo) -> Figure:
    if part.get("xref") not in timed:
        return part
    names = [name for name in ("x", "x0", "x1") if name in part]
    return {**part, **dict(zip(names, _moved([part[name] for name in names], zone, browser), strict=True))}


def _moved(times: Any, zone: tzinfo, browser: tzinfo) -> list[float]:
    found = np.asarray(times, dtype=np.float64)
    there: list[float] = (found + shift_ms(found, zone, browser)).tolist()
    return there


def shift_ms(times: Floats, zone: tzinfo, browser: tzinfo) -> Floats:
    """Return by how much each time must be moved, ms: clocks may be changed within the range.

    Args:
        times: Unix ms; holes are allowed.
    """
    known = times[np.isfinite(times)]
    if not len(known):
        return np.zeros_like(times)
    ends = {_ahead_ms(float(at), zone, browser) for at in (known.min(), known.max())}
    if len(ends) == 1:
        return np.full_like(times, ends.pop())
    return np.array([_ahead_ms(at, zone, browser) if np.isfinite(at) else 0.0 for at in times.tolist()])


def _ahead_ms(at_ms: float, zone: tzinfo, browser: tzinfo) -> float:
    offsets = [fmt.moment(at_ms, each).utcoffset() for each in (zone, browser)]
    there, here = (0.0 if offset is None else offset.total_seconds() for offset in offsets)
    return (there - here) * 1000
