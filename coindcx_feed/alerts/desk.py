"""Everything about alerts that a process has, and what pages see of it: plain data, because it outlives their code."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from coindcx_feed.alerts.book import Book, is_built_in
from coindcx_feed.alerts.channels import Channels, Sender
from coindcx_feed.alerts.engine import Engine, Sight
from coindcx_feed.alerts.notices import Notices
from coindcx_feed.alerts.rehearsal import Log, obstacle, rehearse
from coindcx_feed.alerts.rules import WAYS, Rule, describe, parse_rule
from coindcx_feed.errors import BadRequest, StoreGone
from coindcx_feed.exchange.rest_clock import SYSTEM_CLOCK, Clock
from coindcx_feed.feed.ring import Ring

RECENT: Final = 5
"""Notices that a page is handed at every refresh: what is older than these is only counted."""
DAY_NS: Final = 86_400 * 10**9
MAX_DAYS: Final = 3_660

Plain = dict[str, Any]


class _Running(NamedTuple):
    engine: Engine
    channels: Channels
    loop: asyncio.AbstractEventLoop


class AlertDesk:
    """Rules, notices and channels of one process.

    ``run`` belongs to the feed's loop; every other method may be called from any thread and returns plain data. Those
    that change something raise ``BadRequest`` or ``ConfigError``, one line each.

    Args:
        folder: The data folder.
        mode: Mode of the feed, for what is sent.
        sight: State and connection.
        locked: Why rules cannot be changed here and nothing is raised, or ``None``.
    """

    def __init__(
        self, folder: Path, mode: str, sight: Sight, locked: str | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.book = Book(folder, locked)
        self.notices = Notices()
        self._mode, self._sight, self._clock = mode, sight, clock
        self._series = time.time_ns() // 1_000_000
        self._running: _Running | None = None
        self._rehearsing = threading.Lock()

    async def run(self, ring: Ring, senders: list[Sender], listen: Callable[[Callable[[], None]], None]) -> None:
        """Raise alerts until cancelled.

        Args:
            ring: Account events; what it holds by now is the past.
            senders: Destinations of the settings.
            listen: Registers a function that is called when something was published.
        """
        channels = Channels(senders, self._mode, self._clock)
        engine = Engine(ring, self._sight, self.book, self.notices, channels, self._clock)
        engine.start()
        listen(engine.notify)
        self._running = _Running(engine, channels, asyncio.get_running_loop())
        sending = asyncio.create_task(channels.run(), name="alert-channels")
        try:
            await engine.run()
        finally:
            self._running = None
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def brief(self) -> Plain:
        """Return what every page shows at every refresh: counts, and the newest notices, oldest first.

        ``series`` tells this process from the one before: numbers begin anew with it.
        """
        recent = [notice.to_mapping() for notice in self.notices.newest(RECENT)][::-1]
        return {
            "series": self._series,
            "newest": self.notices.number,
            "unread": self.notices.unread,
            "recent": recent,
        }

    def newest(self, count: int = 200) -> list[Plain]:
        """List the newest notices, those told last first."""
        found = sorted(self.notices.newest(count), key=lambda notice: -notice.last_ns)
        return [notice.to_mapping() for notice in found]

    def mark_read(self, upto: int | None = None) -> None:
        self.notices.mark_read(upto)

    def state(self) -> Plain:
        """Return rules with how often they fired, channels with their last sending, and what is the matter."""
        running, content = self._running, self.book.content
        watchers = {} if running is None else running.engine.watchers()
        rules = []
        for rule in content.rules:
            watcher = watchers.get(rule.id)
            rules.append(
                {
                    **_shown(rule),
                    "fired": watcher.fired if watcher else 0,
                    "held_back": watcher.cooldown.held_back if watcher else 0,
                    "failures": watcher.failures if watcher else 0,
                    "failure": watcher.failure if watcher else None,
                }
            )
        return {
            "rules": rules,
            "group_s": content.group_s,
            "quiet": None if content.quiet is None else content.quiet.model_dump(),
            "channels": [] if running is None else running.channels.status(),
            "note": self.book.note,
            "locked": self.book.locked,
            "is_running": running is not None,
            "missed": 0 if running is None else running.engine.missed,
        }

    def channel_names(self) -> list[str]:
        """Return what a rule may name: the ways of the dashboard, then the destinations of the settings."""
        return [*WAYS, *([] if self._running is None else self._running.channels.names)]

    def save(self, raw: Plain) -> str:
        """Keep a rule and return its id; without an id it is a new one."""
        rule = self._parsed(raw)
        self.book.save(rule)
        return rule.id

    def switch(self, rule_id: str, enabled: bool) -> None:
        """Switch a rule on or off."""
        rule = self.book.rule(rule_id)
        if rule is None:
            raise BadRequest(f"rule: expected one of the book, was {rule_id!r:.44}: load the page again")
        self.book.save(rule.model_copy(update={"enabled": enabled}))

    def remove(self, rule_id: str) -> None:
        """Delete a rule, or bring a built-in one back to what it was."""
        self.book.remove(rule_id)

    def set_quiet(self, group_s: int, quiet: Plain | None) -> None:
        """Set the time within which repeats are grouped, and ``start``, ``end``, ``zone`` of the quiet hours."""
        self.book.set_quiet(group_s, quiet)

    def test(self, channel: str) -> None:
        """Send a message to a destination that says that it is a test; ``state`` tells what came of it."""
        running = self._running
        if running is None or channel not in running.channels.names:
            raise BadRequest(f"channel: expected a destination of the settings, was {channel!r:.40}: add it there")
        running.loop.call_soon_threadsafe(running.channels.test, channel)

    def rehearse(self, raw: Plain, log: Log | None, days: int) -> Plain:
        """Run a rule over the stored log of the last days. Blocks for seconds; one at a time.

        Returns:
            Counts and times, or ``why`` it cannot be rehearsed.
        Raises:
            StoreError: If the log cannot be read, or there is none.
        """
        rule = self._parsed(raw)
        why = obstacle(rule)
        if why is not None:
            return {"why": why}
        if log is None:
            raise StoreGone("rehearsal: expected a durable log, was none: set COINDCX_STORE_URL, or leave it out")
        to_ns = time.time_ns()
        from_ns = to_ns - min(max(days, 1), MAX_DAYS) * DAY_NS
        with self._rehearsing:
            count = rehearse(rule, log, from_ns, to_ns)
        return {"why": None, "from_ms": from_ns / 1e6, "to_ms": to_ns / 1e6, **count.to_mapping()}

    def _parsed(self, raw: Plain) -> Rule:
        return parse_rule(raw if raw.get("id") else {**raw, "id": self.book.free_id()})


def _shown(rule: Rule) -> Plain:
    return {**rule.to_mapping(), "what": describe(rule), "is_built_in": is_built_in(rule)}
