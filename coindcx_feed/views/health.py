"""The feed's own health as plain data: rates, delays, states, gaps, and what was kept apart."""

from typing import Any, Final

import numpy as np

from coindcx_feed.events import EventType
from coindcx_feed.feed.columns import TYPES
from coindcx_feed.feed.kept import KeptApart
from coindcx_feed.feed.quirks import Quirks
from coindcx_feed.feed.ring import Ring, Timings
from coindcx_feed.feed.watch import ON_DEMAND, Watch

BUCKET_S: Final = 30
HOUR_MS: Final = 3_600_000
SHOWN_RAW: Final = 20_000
SHOWN_ENTRIES: Final = 100
RECENT: Final = 500


def _delays(times: Timings) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    # Exchange stamp to receive, for what carries a stamp and is no late repeat. Clock skew is in it.
    counted = (times.exchange_ms > 0) & (times.late == 0)
    return times.received_ns[counted] / 1e6, times.received_ns[counted] / 1e6 - times.exchange_ms[counted]


def delay(ring: Ring, now_ns: int, live_since_ns: int) -> dict[str, Any] | None:
    """Return percentiles of the delay from exchange to here over the last ten minutes, ms; ``None`` without events.

    What was received before ``live_since_ns`` is simulated history: it never travelled.
    """
    _, values = _delays(ring.timings(max(live_since_ns, now_ns - 600 * 10**9)))
    values = values[-RECENT:]
    if not len(values):
        return None
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "count": len(values)}


def rates(ring: Ring, now_ns: int, live_since_ns: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return events per bucket and type, and delay percentiles per bucket, over the last hour."""
    last = now_ns // 10**9 // BUCKET_S
    first = last - 3600 // BUCKET_S + 1
    t_ms = np.arange(first, last + 1, dtype=np.float64) * BUCKET_S * 1000
    times = ring.timings(int(first) * BUCKET_S * 10**9)
    bucket = times.received_ns // (BUCKET_S * 10**9) - first
    per_type: dict[str, Any] = {"bucket_s": BUCKET_S, "t_ms": t_ms}
    for kind in (EventType.ORDER, EventType.POSITION, EventType.BALANCE):
        chosen = bucket[times.type == TYPES.index(kind)]
        per_type[str(kind)] = np.bincount(chosen[chosen < len(t_ms)], minlength=len(t_ms))
    return per_type, {"t_ms": t_ms, **_delay_percentiles(times, int(first), len(t_ms), live_since_ns)}


def _delay_percentiles(times: Timings, first: int, count: int, live_since_ns: int) -> dict[str, Any]:
    received_ms, values = _delays(times)
    travelled = received_ms >= live_since_ns / 1e6
    received_ms, values = received_ms[travelled], values[travelled]
    bucket = (received_ms // (BUCKET_S * 1000)).astype(np.int64) - first
    found = {name: np.full(count, np.nan) for name in ("p50", "p95", "p99")}
    for index in np.unique(bucket[bucket < count]).tolist():
        in_bucket = np.percentile(values[bucket == index], (50, 95, 99))
        for name, value in zip(found, in_bucket, strict=True):
            found[name][index] = value
    return found


def states(watch: Watch, now_ms: float) -> list[dict[str, Any]]:
    """List the states of the last hour, oldest first; the last one lasts."""
    changes = watch.changes()
    found = []
    for change, after in zip(changes, [*changes[1:], None], strict=True):
        to_ms = None if after is None else after.at_ns / 1e6
        if to_ms is None or to_ms >= now_ms - HOUR_MS:
            found.append(
                {
                    "state": str(change.state),
                    "from_ms": change.at_ns / 1e6,
                    "to_ms": to_ms,
                    "reason": change.reason,
                    "proof": change.proof,
                    "is_on_demand": change.reason == ON_DEMAND,
                }
            )
    return found


def gaps(watch: Watch) -> list[dict[str, Any]]:
    """List the times away from the exchange, newest first; an open one has no ``to_ms``.

    ``is_on_demand`` marks time in which nobody wanted to watch: it is no failure and counts as none. ``is_read_on``:
    ``recovered`` was read on from the feed that is followed, else by REST.
    """
    return [
        {
            "from_ms": gap.start_ns / 1e6,
            "to_ms": None if gap.end_ns is None else gap.end_ns / 1e6,
            "cause": gap.cause,
            "is_on_demand": gap.cause == ON_DEMAND,
            "recovered": gap.recovered,
            "unknown": gap.unknown,
            "is_read_on": gap.is_read_on,
        }
        for gap in reversed(watch.gaps())
    ]


def completeness(watch: Watch, now_ns: int) -> dict[str, Any] | None:
    """Return how much of the time since the first connection was watched, or ``None`` before it."""
    found = watch.completeness(now_ns)
    return None if found is None else found._asdict()


def quirks(met: Quirks) -> list[dict[str, Any]]:
    """List the rules that the exchange broke, the newest first."""
    return [
        {
            "quirk": str(item.quirk),
            "total": item.total,
            "first_ms": item.first_ns / 1e6,
            "last_ms": item.last_ns / 1e6,
            "sample": item.sample.decode("utf-8", "replace"),
        }
        for item in met.met()
    ]


def kept_apart(kept: KeptApart) -> list[dict[str, Any]]:
    """List the newest entries, newest first; long raw texts are cut for display only."""
    return [
        {
            "arrival": entry.arrival,
            "at_ms": entry.received_ns / 1e6,
            "event": entry.event[:200],
            "reason": entry.reason,
            "raw": entry.raw[:SHOWN_RAW].decode("utf-8", "replace"),
            "raw_bytes": len(entry.raw),
        }
        for entry in kept.newest(SHOWN_ENTRIES)
    ]
