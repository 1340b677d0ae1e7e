"""What figures of the past are grouped by: buckets of time, days of a zone, pairs."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

Rows = list[dict[str, Any]]
Key = tuple[str, str]
"""Day and pair; empty where rows of all of them are added up."""
Pairs = Collection[str]
"""Pairs that are wanted; none means all events, with a pair or without."""

MOST_BUCKETS: Final = 600
"""Points of a chart: about one for two pixels of a wide screen."""
BUCKETS_S: Final = tuple(minutes * 60 for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440))
DAY_S: Final = 86_400
BY: Final = ("day", "pair", "both", "all")


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
        return next((bucket for bucket in BUCKETS_S if lasts_s / bucket <= MOST_BUCKETS), BUCKETS_S[-1])


def of_pairs(found: Iterable[Figure], pairs: Pairs) -> Iterable[Figure]:
    """Leave the figures of some pairs."""
    return (figure for figure in found if figure.pair in pairs) if pairs else found


def width_of(span: Span, zone: tzinfo) -> int:
    """Return the widest bucket whose sums add up to days of the zone."""
    offsets = {datetime.fromtimestamp(ns / 1e9, zone).utcoffset() or timedelta() for ns in span}
    if zone is UTC:
        return DAY_S
    return 1_800 if all(offset.total_seconds() % 1_800 == 0 for offset in offsets) else 900


def key_of(figure: Figure, zone: tzinfo) -> Key:
    """Return the day, in a zone, and the pair of a figure."""
    return datetime.fromtimestamp(figure.start_s, zone).date().isoformat(), figure.pair


def group_of(row: dict[str, Any], by: str) -> Key:
    """Return what a row is added up with: by day, by pair, by both, or all rows together."""
    return "" if by in ("pair", "all") else row["day"], "" if by in ("day", "all") else row["pair"]


def named(key: Key) -> dict[str, str | None]:
    """Write a key as entries of a row."""
    return {"day": key[0] or None, "pair": key[1] or None}


def ordered(found: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """Order by day, newest first, then by name."""
    by_name = sorted(found.items(), key=lambda item: item[0][1:])
    return sorted(by_name, key=lambda item: str(item[0][0]), reverse=True)
