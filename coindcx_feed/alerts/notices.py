"""What was told: a bounded list of notices, repeats within a while grouped into one with a count."""

import threading
from collections import deque
from typing import Any, Final, NamedTuple

from coindcx_feed.alerts.rules import Rule

MAX_NOTICES: Final = 500
MAX_TEXT: Final = 300


class Found(NamedTuple):
    """What a rule found: the thing it is about, one line of text, and the event behind it if there is one.

    ``thing`` tells repeats apart: a pair, a position id, a currency. Times are wall clock, ns.
    """

    rule: Rule
    thing: str
    text: str
    at_ns: int
    seq: int | None = None


class Notice(NamedTuple):
    """One line of the list, told ``times`` times. ``ways`` are the channels it goes out by; none within quiet hours."""

    number: int
    rule_id: str
    name: str
    subject: str
    severity: str
    thing: str
    text: str
    at_ns: int
    last_ns: int
    seq: int | None
    times: int
    is_read: bool
    is_quiet: bool
    ways: tuple[str, ...]

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for pages: times as Unix ms."""
        row = self._asdict()
        at_ns, last_ns = row.pop("at_ns"), row.pop("last_ns")
        return {**row, "ways": list(self.ways), "at_ms": at_ns / 1e6, "last_ms": last_ns / 1e6}


class Notices:
    """The newest notices. Threads: one that adds, any that read or mark."""

    def __init__(self, most: int = MAX_NOTICES) -> None:
        self._kept: deque[Notice] = deque(maxlen=most)
        self._number = 0
        self._unread = 0
        self._lock = threading.Lock()

    def add(self, found: Found, *, group_s: float, is_quiet: bool) -> tuple[Notice, bool]:
        """Take in what a rule found.

        Returns:
            The notice, and whether it is a new one: a repeat is counted in the one that stands and goes out nowhere.
        """
        with self._lock:
            place = self._same(found, group_s)
            if place is not None:
                known = self._kept[place]
                self._kept[place] = known._replace(
                    times=known.times + 1, last_ns=found.at_ns, text=found.text[:MAX_TEXT], seq=found.seq
                )
                return self._kept[place], False
            if len(self._kept) == self._kept.maxlen and not self._kept[0].is_read:
                self._unread -= 1
            self._number += 1
            self._unread += 1
            notice = self._new(found, is_quiet=is_quiet)
            self._kept.append(notice)
            return notice, True

    def _same(self, found: Found, group_s: float) -> int | None:
        for place in range(len(self._kept) - 1, -1, -1):
            known = self._kept[place]
            if (known.rule_id, known.thing) == (found.rule.id, found.thing):
                # From the first of a group: a steady trickle must not be one notice for ever.
                return place if 0 <= found.at_ns - known.at_ns < group_s * 1e9 else None
        return None

    def _new(self, found: Found, *, is_quiet: bool) -> Notice:
        rule = found.rule
        head = (self._number, rule.id, rule.name, rule.subject, rule.severity, found.thing, found.text[:MAX_TEXT])
        ways = () if is_quiet else rule.channels
        return Notice(*head, found.at_ns, found.at_ns, found.seq, 1, False, is_quiet, ways)

    def newest(self, count: int) -> list[Notice]:
        """Return the newest, newest first."""
        with self._lock:
            return list(self._kept)[: -count - 1 : -1]

    @property
    def number(self) -> int:
        """Number of the newest notice, 0 before the first."""
        return self._number

    @property
    def unread(self) -> int:
        return self._unread

    def mark_read(self, upto: int | None = None) -> None:
        """Mark notices as read: up to a number, or all."""
        with self._lock:
            for place, notice in enumerate(self._kept):
                if not notice.is_read and (upto is None or notice.number <= upto):
                    self._kept[place] = notice._replace(is_read=True)
            self._unread = sum(not notice.is_read for notice in self._kept)
