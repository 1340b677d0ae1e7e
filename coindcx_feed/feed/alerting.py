"""What pages see of the alerts: the desk of the runtime, and the log that rules are rehearsed over. Plain data only."""

from typing import Any

from coindcx_feed.feed.runtime import FeedRuntime

Plain = dict[str, Any]


class AlertService:
    """Every method may be called from any thread; those that change something raise ``FeedError``, one line."""

    def __init__(self, runtime: FeedRuntime) -> None:
        self._runtime, self._desk = runtime, runtime.alerts

    def brief(self) -> Plain:
        """Return counts and the newest notices, for every page; see ``AlertDesk.brief``."""
        return self._desk.brief()

    def newest(self, count: int = 200) -> list[Plain]:
        """List the newest notices, newest first."""
        return self._desk.newest(count)

    def mark_read(self, upto: int | None = None) -> None:
        self._desk.mark_read(upto)

    def state(self) -> Plain:
        """Return rules, channels and what is the matter; see ``AlertDesk.state``."""
        return self._desk.state()

    def channel_names(self) -> list[str]:
        return self._desk.channel_names()

    def save(self, rule: Plain) -> str:
        """Keep a rule and return its id; without an id it is a new one."""
        return self._desk.save(rule)

    def switch(self, rule_id: str, enabled: bool) -> None:
        self._desk.switch(rule_id, enabled)

    def remove(self, rule_id: str) -> None:
        """Delete a rule, or bring a built-in one back to what it was."""
        self._desk.remove(rule_id)

    def set_quiet(self, group_s: int, quiet: Plain | None) -> None:
        self._desk.set_quiet(group_s, quiet)

    def test(self, channel: str) -> None:
        """Send a test message to a destination; ``state`` tells what came of it."""
        self._desk.test(channel)

    def rehearse(self, rule: Plain, days: int) -> Plain:
        """Run a rule over the stored log of the last days; may take seconds. See ``AlertDesk.rehearse``."""
        return self._desk.rehearse(rule, self._runtime.log, days)
