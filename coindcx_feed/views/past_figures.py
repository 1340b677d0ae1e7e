"""Figures of a past range from the log's per-minute sums: no event is read for them. Money stays exact text."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from coindcx_feed.exchange.numbers import WIDE, written

Rows = list[dict[str, Any]]
Key = tuple[str, str]
"""Day and pair; empty where rows of all of them are added up."""

MOST_BUCKETS: Final = 600
"""Points of a chart: about one for two pixels of a wide screen."""
_BUCKETS_S: Final = tuple(minutes * 60 for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440))
_DAY_S: Final = 86_400
BUSIEST: Final = 12
BY: Final = ("day", "pair", "both")
_ORDERS: Final = ("ended", "filled", "cancelled", "rejected", "fill_ms", "fills_timed")
_MONEY: Final = ("volume", "fees", "pnl", "funding")


class Figure(Protocol):
    """See ``EventStore.figures``."""

    @property
    def start_s(self) -> int: ...

    @property
    def pair(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def number(self) -> int: ...

    @property
    def amount(self) -> Decimal: ...


class Log(Protocol):
    """What is read of the durable log."""

    def figures(
        self, measure: str, from_ns: int | None = ..., to_ns: int | None = ..., bucket_s: int | None = ...
    ) -> Sequence[Figure]: ...


class Span(NamedTuple):
    """A range of receive times, Unix ns, the end not included; the log's own ends where none was asked for."""

    from_ns: int
    to_ns: int

    @property
    def bucket_s(self) -> int:
        """Narrowest bucket of which the range has not too many."""
        lasts_s = (self.to_ns - self.from_ns) / 1e9
        return next((bucket for bucket in _BUCKETS_S if lasts_s / bucket <= MOST_BUCKETS), _BUCKETS_S[-1])


def activity(log: Log, span: Span) -> dict[str, Any]:
    """Return events per minute by type, the mean of each bucket, and the busiest pairs.

    Shape: ``t_ms`` are the beginnings of all buckets; ``types`` holds one array of the same length per type.
    """
    bucket_s = span.bucket_s
    found = log.figures("events", *span, bucket_s)
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


def orders(log: Log, span: Span, zone: tzinfo) -> Rows:
    """Return how orders ended, per day and pair; see ``orders_by``."""
    found: dict[Key, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_ORDERS, 0))
    width = _width(span, zone)
    for figure in log.figures("orders", *span, width):
        row = found[_key(figure, zone)]
        row["ended"] += figure.number
        name = "cancelled" if figure.label == "partially_cancelled" else figure.label
        if name in row:
            row[name] += figure.number
    for figure in log.figures("fill_ms", *span, width):
        row = found[_key(figure, zone)]
        row["fill_ms"] += int(figure.amount)
        row["fills_timed"] += figure.number
    return [{"day": day, "pair": pair, **row} for (day, pair), row in found.items()]


def orders_by(rows: Rows, by: str) -> Rows:
    """Add up ``orders`` by day, by pair, or leave them by both.

    ``fill_rate`` is filled of all that ended; ``mean_fill_ms`` is from creation to filled, by the exchange's clock.
    """
    found: dict[Key, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_ORDERS, 0))
    for row in rows:
        total = found[_group(row, by)]
        for name in _ORDERS:
            total[name] += row[name]
    return [{**_named(key), **_rates(row)} for key, row in _sorted(found)]


def _rates(row: dict[str, int]) -> dict[str, Any]:
    timed, ended = row["fills_timed"], row["ended"]
    return {
        **row,
        "fill_rate": row["filled"] / ended if ended else None,
        "mean_fill_ms": row["fill_ms"] / timed if timed else None,
    }


def money(log: Log, span: Span, zone: tzinfo) -> dict[str, Any]:
    """Return fills, volume, fees, realised PnL, funding and the last unrealised PnL, per day and pair.

    Shape: for ``money_by``.
    """
    sums: dict[tuple[str, str, str], dict[str, Decimal]] = defaultdict(dict)
    fills: dict[tuple[str, str, str], int] = defaultdict(int)
    width = _width(span, zone)
    for measure in _MONEY:
        for figure in log.figures(measure, *span, width):
            key = (*_key(figure, zone), figure.label)
            sums[key][measure] = WIDE.add(sums[key].get(measure, Decimal(0)), figure.amount)
            fills[key] += figure.number if measure == "volume" else 0
    # In order of time, so that the last one of each day, pair and margin currency stays.
    last = {(*_key(figure, zone), figure.label): figure.amount for figure in log.figures("unrealized", *span, width)}
    return {"sums": dict(sums), "fills": dict(fills), "last": last}


def money_by(found: dict[str, Any], by: str) -> Rows:
    """Add up ``money`` by day, by pair, or leave it by both, per currency.

    ``unrealized`` is the last value known of each pair, in the day or in the whole range, in the pair's quote currency.
    """
    rows: dict[tuple[str, str, str], dict[str, Decimal]] = defaultdict(dict)
    fills: dict[tuple[str, str, str], int] = defaultdict(int)
    for (day, pair, currency), amounts in found["sums"].items():
        key = (*_group({"day": day, "pair": pair}, by), currency)
        fills[key] += found["fills"][day, pair, currency]
        for measure, amount in amounts.items():
            rows[key][measure] = WIDE.add(rows[key].get(measure, Decimal(0)), amount)
    for key, amount in _last_known(found["last"], by):
        rows[key]["unrealized"] = WIDE.add(rows[key].get("unrealized", Decimal(0)), amount)
    names = (*_MONEY, "unrealized")
    return [
        {
            **_named(key[:2]),
            "currency": key[2],
            "fills": fills[key],
            **{name: _text(row.get(name)) for name in names},
        }
        for key, row in _sorted(rows)
    ]


def _last_known(last: dict[tuple[str, str, str], Decimal], by: str) -> list[tuple[tuple[str, str, str], Decimal]]:
    newest: dict[tuple[str, str, str], Decimal] = {}
    for (day, pair, label), amount in last.items():
        newest["" if by == "pair" else day, pair, label] = amount
    return [
        ((*_group({"day": day, "pair": pair}, by), pair.rpartition("_")[2]), amount)
        for (day, pair, _), amount in newest.items()
    ]


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


def _width(span: Span, zone: tzinfo) -> int:
    """Return the widest bucket whose sums add up to days of the zone."""
    offsets = {datetime.fromtimestamp(ns / 1e9, zone).utcoffset() or timedelta() for ns in span}
    if zone is UTC:
        return _DAY_S
    return 1_800 if all(offset.total_seconds() % 1_800 == 0 for offset in offsets) else 900


def _key(figure: Figure, zone: tzinfo) -> Key:
    return datetime.fromtimestamp(figure.start_s, zone).date().isoformat(), figure.pair


def _group(row: dict[str, Any], by: str) -> Key:
    return "" if by == "pair" else row["day"], "" if by == "day" else row["pair"]


def _named(key: Key) -> dict[str, str | None]:
    return {"day": key[0] or None, "pair": key[1] or None}


def _sorted(found: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """Order by day, newest first, then by name."""
    by_name = sorted(found.items(), key=lambda item: item[0][1:])
    return sorted(by_name, key=lambda item: str(item[0][0]), reverse=True)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else written(amount)
