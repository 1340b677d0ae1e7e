"""Figures of a past range from the log's per-minute sums: no event is read for them. Money stays exact text."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

import numpy as np

from coindcx_feed.analysis.fill_times import median_ms
from coindcx_feed.exchange.numbers import WIDE, written
from coindcx_feed.views.past_groups import (
    Figure,
    Key,
    Log,
    Pairs,
    Rows,
    Span,
    group_of,
    key_of,
    named,
    of_pairs,
    ordered,
    width_of,
)

BUSIEST: Final = 12
Times = dict[str, tuple[int, Decimal]]
_ORDERS: Final = ("ended", "filled", "cancelled", "rejected", "fill_ms", "fills_timed")


def activity(log: Log, span: Span, only: Pairs = ()) -> dict[str, Any]:
    """Return events per minute by type, the mean of each bucket, and the busiest pairs.

    With pairs chosen, events that have none, such as a wallet's, are left out.

    Shape: ``t_ms`` are the beginnings of all buckets; ``types`` holds one array of the same length per type.
    """
    bucket_s = span.bucket_s
    found = list(of_pairs(log.figures("events", *span, bucket_s), only))
    first, last = span.from_ns // 10**9 // bucket_s, (span.to_ns - 1) // 10**9 // bucket_s
    count = max(int(last - first) + 1, 1)
    types: dict[str, Any] = defaultdict(lambda: np.zeros(count))
    pairs: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for figure in found:
        place = figure.start_s // bucket_s - first
        if 0 <= place < count:
            types[figure.label][place] += figure.number
        if figure.pair:
            pairs[figure.pair][figure.label] += figure.number
    t_ms = np.arange(first, first + count, dtype=np.float64) * bucket_s * 1000
    return {
        "bucket_s": bucket_s,
        "t_ms": t_ms,
        "types": {kind: counts * 60 / bucket_s for kind, counts in types.items()},
        "events": sum(figure.number for figure in found),
        "busiest": _busiest(pairs),
    }


def _busiest(pairs: dict[str, dict[str, int]]) -> Rows:
    rows: Rows = [{"pair": pair, "events": sum(kinds.values()), **kinds} for pair, kinds in pairs.items()]
    return sorted(rows, key=lambda row: (-row["events"], row["pair"]))[:BUSIEST]


def orders(log: Log, span: Span, zone: tzinfo, pairs: Pairs = ()) -> Rows:
    """Return how orders ended, per day and pair; see ``orders_by``."""
    found: dict[Key, dict[str, Any]] = defaultdict(_nothing)
    width = width_of(span, zone)
    for figure in of_pairs(log.figures("orders", *span, width), pairs):
        row = found[key_of(figure, zone)]
        row["ended"] += figure.number
        name = "cancelled" if figure.label == "partially_cancelled" else figure.label
        if name in row:
            row[name] += figure.number
    for figure in of_pairs(log.figures("fill_ms", *span, width), pairs):
        row = found[key_of(figure, zone)]
        row["fill_ms"] += int(figure.amount)
        row["fills_timed"] += figure.number
    for figure in of_pairs(log.figures("fill_times", *span, width), pairs):
        _add_times(found[key_of(figure, zone)]["times"], {figure.label: (figure.number, figure.amount)})
    return [{"day": day, "pair": pair, **row} for (day, pair), row in found.items()]


def _nothing() -> dict[str, Any]:
    return {**dict.fromkeys(_ORDERS, 0), "times": {}}


def _add_times(times: Times, more: Times) -> None:
    for name, (number, added) in more.items():
        before = times.get(name, (0, Decimal(0)))
        times[name] = before[0] + number, WIDE.add(before[1], added)


def orders_by(rows: Rows, by: str) -> Rows:
    """Add up ``orders`` by day, by pair, by both or altogether.

    Rates are of all that ended; ``mean_fill_ms`` and ``median_fill_ms`` are from creation to filled, by the exchange's
    clock.
    """
    found: dict[Key, dict[str, Any]] = defaultdict(_nothing)
    for row in rows:
        total = found[group_of(row, by)]
        for name in _ORDERS:
            total[name] += row[name]
        _add_times(total["times"], row["times"])
    return [{**named(key), **_rates(row)} for key, row in ordered(found)]


def _rates(row: dict[str, Any]) -> dict[str, Any]:
    timed, ended = row["fills_timed"], row["ended"]
    return {
        **{name: row[name] for name in _ORDERS},
        "fill_rate": row["filled"] / ended if ended else None,
        "cancelled_share": row["cancelled"] / ended if ended else None,
        "rejected_share": row["rejected"] / ended if ended else None,
        "mean_fill_ms": row["fill_ms"] / timed if timed else None,
        "median_fill_ms": median_ms(row["times"]),
    }


def balances(log: Log, span: Span) -> dict[str, Any]:
    """Return total, available and locked per currency: the last value of each bucket that has one."""
    bucket_s = span.bucket_s
    free, locked = (_lines(log.figures(name, *span, bucket_s)) for name in ("balance", "locked"))
    series = {}
    for currency, points in free.items():
        held = {start: (points.get(start), locked.get(currency, {}).get(start)) for start in points}
        t_ms = np.array(list(held), dtype=np.float64) * 1000
        available = np.array([float(value or 0) for value, _ in held.values()])
        kept = np.array([float(value or 0) for _, value in held.values()])
        series[currency] = {"t_ms": t_ms, "total": available + kept, "available": available, "locked": kept}
    texts = {currency: _ends(points, locked.get(currency, {})) for currency, points in free.items()}
    return {"bucket_s": bucket_s, "series": series, "last": texts}


def _lines(found: Iterable[Figure]) -> dict[str, dict[int, Decimal]]:
    lines: dict[str, dict[int, Decimal]] = defaultdict(dict)
    for figure in found:
        lines[figure.label][figure.start_s] = figure.amount
    return lines


def _ends(free: dict[int, Decimal], locked: dict[int, Decimal]) -> dict[str, str]:
    available, kept = free[max(free)], locked.get(max(free), Decimal(0))
    return {"total": written(WIDE.add(available, kept)), "available": written(available), "locked": written(kept)}
