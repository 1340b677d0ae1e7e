"""The engine: one more cursor over the ring, and a look at state and connection every second.

Runs on the feed's loop. A rule that fails is counted and shown; it never stops the others.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, Protocol

from coindcx_feed.alerts.book import Book, Content
from coindcx_feed.alerts.notices import Found, Notice, Notices
from coindcx_feed.alerts.rules import Rule
from coindcx_feed.alerts.triggers import Cooldown, Edge, Moves, move_of
from coindcx_feed.alerts.values import balance_value, event_text, event_value, percent_move, position_value, sentence
from coindcx_feed.events import Source
from coindcx_feed.exchange.rest_clock import Clock
from coindcx_feed.feed.ring import Ring, Stored
from coindcx_feed.views import rows

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
GATHER_S: Final = 0.05
"""Events of a burst share one look: columns are tested for all of them at once."""
SLICE: Final = 100
"""Matches worked on before other tasks of the loop get their turn."""
OLD_S: Final = 86_400.0
"""Rows that a read brings of things longer ago than this are history, not news."""


class Sight(Protocol):
    """What the engine looks at beside the ring: plain rows, made only when a rule asks for them."""

    def positions(self) -> list[dict[str, Any]]: ...

    def balances(self) -> list[dict[str, Any]]: ...

    def feed(self) -> dict[str, float | None]:
        """``not_live_s``, ``proof_age_s``, ``not_stored_s``, each in seconds."""

    def quirks(self) -> list[dict[str, Any]]: ...


class Outbox(Protocol):
    """Where new notices go."""

    def offer(self, notice: Notice, channels: Iterable[str]) -> None: ...

    def end_quiet(self) -> None:
        """Called at every look outside of quiet hours."""


class Watcher:
    """One rule at work: its cool-down, what holds, how far things moved, and how often it failed."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.cooldown = Cooldown(rule.cooldown_s)
        self.edge = Edge(rule.hold_s)
        within_s = rule.condition.within_s if rule.condition else None
        self.moves = Moves(within_s) if within_s else None
        self.wanted = rule.wanted()
        self.column_test, self.text_test = self.wanted.column_test(), self.wanted.text_test()
        self.fired = 0
        self.failures = 0
        self.failure: str | None = None

    def fail(self, error: Exception) -> None:
        """Count a failure; its message may hold figures of the account, so only the kind is kept."""
        self.failures += 1
        if self.failure is None:
            log.error("alert rule failed rule=%s error=%s", self.rule.id, type(error).__name__)
        self.failure = type(error).__name__

    def keep_only(self, things: set[str]) -> None:
        """Forget positions that are flat and wallets that are gone."""
        self.edge.keep_only(things)
        if self.moves is not None:
            self.moves.keep_only(things)

    def value(self, thing: str, value: Decimal | None, now_s: float) -> Decimal | None:
        """Return what the condition compares: the value itself, or how far it moved."""
        condition = self.rule.condition
        if value is None or self.moves is None or condition is None:
            return value
        lowest, highest = self.moves.take(thing, value, now_s)
        move, before = move_of(condition.op, value, lowest, highest)
        return percent_move(move, before) if condition.field.endswith("_percent") else move


class Engine:
    """Looks for what the rules of a book ask for.

    Args:
        ring: Account events; those before ``start`` are the past.
        sight: State and connection.
        book: Rules; a change takes effect at the next look.
        notices: Gets what was found.
        outbox: Gets every new notice, with the channels of its rule.
        clock: Time.
    """

    def __init__(self, ring: Ring, sight: Sight, book: Book, notices: Notices, outbox: Outbox, clock: Clock) -> None:
        self._ring, self._sight, self._book = ring, sight, book
        self._notices, self._outbox, self._clock = notices, outbox, clock
        self._watchers: dict[str, Watcher] = {}
        self._content: Content | None = None
        self._wake = asyncio.Event()
        self._cursor = 0
        self.missed = 0
        """Events that were overwritten before they were looked at."""

    def notify(self) -> None:
        """Look soon: something was published. Threads: the loop's."""
        self._wake.set()

    def watchers(self) -> dict[str, Watcher]:
        """Return the rules at work by id. Threads: any; for reading only."""
        return dict(self._watchers)

    def start(self) -> None:
        """Take what the ring holds by now as the past."""
        self._cursor = self._ring.version
        self._follow_book()

    async def run(self) -> None:
        """Look until cancelled."""
        events = asyncio.create_task(self._run_events(), name="alert-events")
        try:
            while True:
                await self.look()
                if events.done():
                    events.result()
                await self._clock.sleep(EVERY_S)
        finally:
            events.cancel()
            await asyncio.gather(events, return_exceptions=True)

    async def _run_events(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            await self.take_events()

    def _follow_book(self) -> None:
        content = self._book.content
        if content is self._content:
            return
        self._content = content
        before = self._watchers
        # A rule that was not touched goes on with its cool-down and with what already holds.
        self._watchers = {
            rule.id: before[rule.id] if rule.id in before and before[rule.id].rule == rule else Watcher(rule)
            for rule in content.rules
            if rule.enabled
        }

    async def take_events(self) -> None:
        """Look at the events since the last time."""
        self._follow_book()
        upto = self._ring.version
        self.missed += max(0, min(self._ring.oldest, upto + 1) - self._cursor - 1)
        after, self._cursor = self._cursor, upto
        for watcher in list(self._watchers.values()):
            if watcher.rule.subject == "event" and upto > after:
                await _guarded(watcher, self._events_of(watcher, after, upto))

    async def _events_of(self, watcher: Watcher, after: int, upto: int) -> None:
        numbers = self._ring.numbers(watcher.column_test, watcher.text_test, upto, after).tolist()
        for start in range(0, len(numbers), SLICE):
            for stored in self._ring.fetch(numbers[start : start + SLICE]):
                self._take_event(watcher, stored)
            await asyncio.sleep(0)

    def _take_event(self, watcher: Watcher, stored: Stored) -> None:
        condition = watcher.rule.condition
        if is_history(stored.source, stored.exchange_ms, stored.received_ns):
            return
        if condition is not None and not condition.holds(event_value(stored.body, condition.field)):
            return
        # By the event's own time, as a rehearsal counts.
        if watcher.cooldown.passes(stored.received_ns / 1e9):
            row = rows.row(self._ring, stored)
            thing = row["pair"] or row["type"]
            self._tell(watcher, Found(watcher.rule, thing, event_text(row), stored.received_ns, stored.seq))

    async def look(self) -> None:
        """Look at state and connection."""
        self._follow_book()
        if not self._is_quiet(self._clock.time_ns()):
            self._outbox.end_quiet()
        now_s, cache = self._clock.monotonic(), dict[str, list[dict[str, Any]]]()
        for watcher in list(self._watchers.values()):
            if watcher.rule.subject != "event":
                await _guarded(watcher, self._look_at(watcher, now_s, cache))

    async def _look_at(self, watcher: Watcher, now_s: float, cache: dict[str, list[dict[str, Any]]]) -> None:
        things = set()
        for thing, shown, value, seq in self._values(watcher, cache):
            things.add(thing)
            self._judge(watcher, thing, shown, watcher.value(thing, value, now_s), seq, now_s)
        watcher.keep_only(things)

    def _judge(
        self, watcher: Watcher, thing: str, shown: str, value: Decimal | None, seq: int | None, now_s: float
    ) -> None:
        condition = watcher.rule.condition
        if value is None or condition is None:
            return  # unknown is neither: what held goes on to hold
        if watcher.edge.look(thing, condition.holds(value), now_s) and watcher.cooldown.passes(now_s, thing):
            text = sentence(watcher.rule, shown, value)
            self._tell(watcher, Found(watcher.rule, thing, text, self._clock.time_ns(), seq))

    def _values(
        self, watcher: Watcher, cache: dict[str, list[dict[str, Any]]]
    ) -> Iterator[tuple[str, str, Decimal | None, int | None]]:
        rule, condition = watcher.rule, watcher.rule.condition
        assert condition is not None
        pairs = watcher.wanted.pairs
        if rule.subject == "feed":
            seconds = self._sight.feed()[condition.field]
            yield "feed", "The feed", None if seconds is None else Decimal(str(round(seconds, 1))), None
            return
        rows_ = cache.get(rule.subject)
        if rows_ is None:
            rows_ = cache[rule.subject] = self._rows(rule.subject)
        for row in rows_:
            if rule.subject == "quirk":
                yield row["quirk"], row["quirk"], Decimal(row["total"]), None
            elif rule.subject == "balance" and (not pairs or row["currency"] in pairs):
                yield row["currency"], row["currency"], balance_value(row, condition.field), row["seq"]
            elif rule.subject == "position" and row["side"] != "flat" and (not pairs or row["pair"] in pairs):
                yield row["id"], position_name(row), position_value(row, condition.field), row["seq"]

    def _rows(self, subject: str) -> list[dict[str, Any]]:
        sight = self._sight
        return {"position": sight.positions, "balance": sight.balances, "quirk": sight.quirks}[subject]()

    def _tell(self, watcher: Watcher, found: Found) -> None:
        watcher.fired += 1
        is_quiet = found.rule.severity != "critical" and self._is_quiet(found.at_ns)
        notice, is_new = self._notices.add(found, group_s=self._book.content.group_s, is_quiet=is_quiet)
        if is_new:
            self._outbox.offer(notice, found.rule.channels)

    def _is_quiet(self, at_ns: int) -> bool:
        quiet = self._book.content.quiet
        return quiet is not None and quiet.covers(at_ns)


async def _guarded(watcher: Watcher, work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  # task boundary: one broken rule must not stop the others
        watcher.fail(error)


def is_history(source: Source, exchange_ms: int | None, received_ns: int) -> bool:
    """Say whether an event is a row of a read about something of long ago, as the first read of an account brings."""
    return source is Source.REST and exchange_ms is not None and received_ns / 1e9 - exchange_ms / 1e3 > OLD_S


def position_name(row: dict[str, Any]) -> str:
    """Name a position for people."""
    currency = row["margin_currency"]
    return f"{row['pair']} {row['side']}" + (f" ({currency})" if currency and currency != row["quote"] else "")
