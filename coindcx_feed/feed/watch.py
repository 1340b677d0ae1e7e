"""The ledger of the connection: every second was watched, or stands here as a gap with cause and outcome."""

import threading
import time
from collections import deque
from typing import Final, NamedTuple

from coindcx_feed.events import iso_ms
from coindcx_feed.exchange.states import Change

MAX_CHANGES: Final = 5_000
MAX_GAPS: Final = 2_000
ON_DEMAND: Final = "on_demand"
"""Cause of the time in which nobody wanted to watch: a gap, but no failure."""

NOT_RUNNING: Final = "not running"
"""Cause of the time between two processes: a gap, and no failure either."""


class Gap(NamedTuple):
    """A time in which the account was not watched: from the last frame before it. Wall clock, ns.

    ``end_ns`` is ``None`` while it lasts. ``recovered`` counts what reads brought afterwards, ``None`` when none was
    made; ``unknown`` says in one line what stays unknown. ``noticed_ns`` is when the end of the connection was noticed:
    of a process that stood still, frames that had waited are later than the start. ``is_read_on`` of a follower's link:
    ``recovered`` counts what the other process had received meanwhile, nothing was compared with REST.
    """

    start_ns: int
    end_ns: int | None
    cause: str
    recovered: int | None = None
    unknown: str | None = None
    noticed_ns: int | None = None
    is_read_on: bool = False

    def told(self) -> dict[str, object]:
        """Return the fields of the event that tells of it."""
        end = None if self.end_ns is None else iso_ms(self.end_ns)
        return {
            "start": iso_ms(self.start_ns),
            "end": end,
            "cause": self.cause,
            "recovered": self.recovered,
            "unknown": self.unknown,
        }


class Completeness(NamedTuple):
    """How much of the time since the first connection was watched. ``share`` is 0 to 1."""

    share: float
    gaps: int
    away_s: float


class Watch:
    """Collects changes. Threads: one writer, any readers."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque(maxlen=MAX_CHANGES)
        self._gaps: deque[Gap] = deque(maxlen=MAX_GAPS)
        self._away: Gap | None = None
        self._first_ns: int | None = None
        self._left_ns = 0
        # Lengths are of the monotonic clock wherever changes carry it: the wall clock may be set while we are away.
        self._is_monotonic = False
        # What no longer fits into the list of gaps still counts.
        self._count, self._away_ns, self._unwatched_ns = 0, 0, 0
        self._lock = threading.Lock()

    def add(self, change: Change) -> Gap | None:
        """Take in a transition and return the gap that it ended, if it ended one."""
        with self._lock:
            self._changes.append(change)
            self._is_monotonic = change.mono_ns is not None
            clock_ns = change.at_ns if change.mono_ns is None else change.mono_ns
            if change.state.is_connected:
                return self._return(change.at_ns, clock_ns)
            if self._first_ns is not None and self._away is None:
                start_ns = change.proven_ns or change.at_ns
                self._away = Gap(start_ns, None, change.reason or str(change.state), noticed_ns=change.at_ns)
                self._left_ns = clock_ns - (change.at_ns - start_ns)
            return None

    def _return(self, at_ns: int, clock_ns: int) -> Gap | None:
        if self._first_ns is None:
            self._first_ns = clock_ns
        ended, self._away = self._away, None
        if ended is None:
            return None
        gap = ended._replace(end_ns=max(at_ns, ended.start_ns))
        self._gaps.append(gap)
        length = max(0, clock_ns - self._left_ns)
        if gap.cause == ON_DEMAND:
            self._unwatched_ns += length
        elif gap.cause != NOT_RUNNING:  # what was before the first connection is not counted at all
            self._count += 1
            self._away_ns += length
        return gap

    def begin_away(self, start_ns: int, now_ns: int) -> None:
        """Count the time since the newest event of an earlier process as not watched; before the first transition."""
        with self._lock:
            self._away = Gap(start_ns, None, NOT_RUNNING, noticed_ns=now_ns)

    def resolve(self, gap: Gap, recovered: int | None, unknown: str | None, *, is_read_on: bool = False) -> Gap:
        """Note what the reads after a gap brought, and return the gap so completed."""
        known = gap._replace(recovered=recovered, unknown=unknown, is_read_on=is_read_on)
        with self._lock:
            for index in range(len(self._gaps) - 1, -1, -1):
                # Both ends: two short connections may both begin with the same last frame.
                if (self._gaps[index].start_ns, self._gaps[index].end_ns) == (gap.start_ns, gap.end_ns):
                    self._gaps[index] = known
                    break
        return known

    def changes(self) -> list[Change]:
        """Return the transitions, oldest first."""
        with self._lock:
            return list(self._changes)

    def gaps(self) -> list[Gap]:
        """Return the gaps, oldest first, the open one last."""
        with self._lock:
            return [*self._gaps, *([self._away] if self._away else [])]

    def completeness(self, now_ns: int) -> Completeness | None:
        """Return the share of time that was watched; ``None`` before the first connection.

        Time in which nobody wanted to watch is left out of both.
        """
        with self._lock:
            if self._first_ns is None:
                return None
            now_ns = time.monotonic_ns() if self._is_monotonic else now_ns
            count, away_ns, unwatched_ns = self._count, self._away_ns, self._unwatched_ns
            if self._away is not None:
                length = max(0, now_ns - self._left_ns)
                if self._away.cause == ON_DEMAND:
                    unwatched_ns += length
                else:
                    count, away_ns = count + 1, away_ns + length
            wanted_ns = now_ns - self._first_ns - unwatched_ns
            share = 1.0 if wanted_ns <= 0 else max(0.0, 1 - away_ns / wanted_ns)
            return Completeness(share, count, away_ns / 1e9)
