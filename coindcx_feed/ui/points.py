"""Which points of a line are drawn, and where it breaks. Pure."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAX_POINTS: Final = 2_000
"""Per trace: more than there are pixels, and what a browser still draws in one frame."""
_PER_STRETCH: Final = 5


def kept(values: Floats, limit: int = MAX_POINTS) -> npt.NDArray[np.int64]:
    """Choose the points of a line that are drawn: ascending places, at most ``limit``.

    Both ends stay, and of each stretch its lowest and its highest value. Of its holes (NaN) so many stay that a line
    between two chosen values never crosses one.
    """
    count = len(values)
    if count <= limit:
        return np.arange(count)
    length = -(-count // max(1, (limit - 2) // _PER_STRETCH))
    padded = np.full(-(-count // length) * length, np.nan)
    padded[:count] = values
    rows = padded.reshape(-1, length)
    low = np.where(np.isnan(rows), np.inf, rows).argmin(axis=1)
    high = np.where(np.isnan(rows), -np.inf, rows).argmax(axis=1)
    padded[count:] = 0.0  # what fills the last stretch is no hole
    hole = np.isnan(rows)
    places = np.arange(length)
    first, last = np.minimum(low, high)[:, None], np.maximum(low, high)[:, None]
    between = (hole & (places > first) & (places < last)).argmax(axis=1)
    # Where a stretch has no hole, argmax answers 0: its first point, which does no harm.
    edges = hole.argmax(axis=1), length - 1 - hole[:, ::-1].argmax(axis=1)
    starts = np.arange(len(rows)) * length
    found = [starts + place for place in (low, high, between, *edges)]
    chosen = np.unique(np.concatenate([[0, count - 1], *found]))
    return chosen[chosen < count]


def thin(t_ms: Floats, column: Floats, *others: Floats, limit: int = MAX_POINTS) -> tuple[Floats, ...]:
    """Keep the points of ``column`` that ``kept`` chooses; the others follow it."""
    if len(t_ms) <= limit:
        return (t_ms, column, *others)
    chosen = kept(column, limit)
    return tuple(each[chosen] for each in (t_ms, column, *others))


def broken(t_ms: Floats, column: Floats, gaps: list[dict[str, Any]], end_ms: float) -> tuple[Floats, Floats]:
    """Break a line of steps where nothing was observed: the value before a gap holds until it began, then from its end.

    Args:
        t_ms: Ascending Unix ms.
        gaps: Times away from the exchange; one that lasts ends with ``end_ms``.
    """
    times, values = [t_ms], [column]
    for gap in gaps:
        begin, end = gap["from_ms"], end_ms if gap["to_ms"] is None else min(gap["to_ms"], end_ms)
        before, after = (int(np.searchsorted(t_ms, at, side="right")) - 1 for at in (begin, end))
        if before < 0 or begin >= end:
            continue
        times.append(np.array([begin, begin, end]))
        values.append(np.array([column[before], np.nan, column[after] if gap["to_ms"] is not None else np.nan]))
    joined = np.concatenate(times)
    order = np.argsort(joined, kind="stable")
    return joined[order], np.concatenate(values)[order]
