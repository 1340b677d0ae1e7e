"""Rules, a sight that a test sets, and an engine that moves only when a test lets it."""

from pathlib import Path
from typing import Any

from fakes.clock import FakeClock
from fakes.pipelines import new_pipeline

from coindcx_feed.alerts.book import Book
from coindcx_feed.alerts.engine import Engine
from coindcx_feed.alerts.notices import Notice, Notices
from coindcx_feed.alerts.rules import Rule, parse_rule


def rule(**fields: Any) -> Rule:
    """Build a rule of every event, or of what the fields say."""
    return parse_rule({"id": "r", "name": "A rule", "subject": "event", "channels": ["toast", "webhook:ops"], **fields})


def condition(field: str, op: str, value: object, within_s: int | None = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": str(value), "within_s": within_s}


class SetSight:
    """State and connection as a test sets them."""

    def __init__(self) -> None:
        self.position_rows: list[dict[str, Any]] = []
        self.balance_rows: list[dict[str, Any]] = []
        self.quirk_rows: list[dict[str, Any]] = []
        self.feed_values: dict[str, float | None] = {"not_live_s": 0.0, "proof_age_s": 0.1, "not_stored_s": 0.0}

    def positions(self) -> list[dict[str, Any]]:
        return self.position_rows

    def balances(self) -> list[dict[str, Any]]:
        return self.balance_rows

    def feed(self) -> dict[str, float | None]:
        return self.feed_values

    def quirks(self) -> list[dict[str, Any]]:
        return self.quirk_rows


class Sent:
    """Keeps what an engine hands out."""

    def __init__(self) -> None:
        self.offered: list[tuple[Notice, tuple[str, ...]]] = []
        self.quiet_ends = 0

    def offer(self, notice: Notice, channels: Any) -> None:
        self.offered.append((notice, tuple(channels)))

    def end_quiet(self) -> None:
        self.quiet_ends += 1


class Bench:
    """An engine over a pipeline of its own, with a book of the given rules only."""

    def __init__(self, folder: Path, *rules: Rule, clock: FakeClock | None = None, capacity: int = 1_000) -> None:
        self.clock = clock or FakeClock()
        self.pipeline = new_pipeline(capacity)
        self.sight, self.sent, self.notices = SetSight(), Sent(), Notices()
        self.book = Book(folder)
        for known in self.book.content.rules:
            self.book.save(known.model_copy(update={"enabled": False}))
        for each in rules:
            self.book.save(each)
        self.engine = Engine(self.pipeline.ring, self.sight, self.book, self.notices, self.sent, self.clock)
        self.engine.start()

    def texts(self) -> list[str]:
        """Return the texts of all notices, oldest first."""
        return [notice.text for notice in self.notices.newest(1_000)][::-1]

    @property
    def fired(self) -> int:
        return sum(watcher.fired for watcher in self.engine.watchers().values())


def position_row(**changes: Any) -> dict[str, Any]:
    """Return a row as ``views.account.positions`` makes it."""
    return {
        "id": "p-1",
        "pair": "B-ETH_USDT",
        "margin_currency": "USDT",
        "quote": "USDT",
        "side": "long",
        "size": "0.2",
        "mark_is_fresh": True,
        "leverage": "5",
        "margin_type": "isolated",
        "margin": "100",
        "maintenance_margin": "8",
        "unrealized_pnl": "-20",
        "liquidation_distance": 0.048,
        "stop": None,
        "seq": 7,
        **changes,
    }


def balance_row(total: str = "100", locked: str = "25", currency: str = "USDT") -> dict[str, Any]:
    return {"currency": currency, "total": total, "available": "75", "locked": locked, "seq": 3}
