"""Alerts as pages see them, with a text of the test's choice wherever the feed's or the user's own stands."""

from typing import TYPE_CHECKING, Any

from coindcx_feed.alerts.rules import BUILT_IN, WAYS, describe
from coindcx_feed.errors import BadRequest

if TYPE_CHECKING:
    from ui.fake_service import FakeService


class FakeAlerts:
    """Answers like ``feed.alerting.AlertService``."""

    def __init__(self, service: "FakeService") -> None:
        self._service = service
        self.told: list[tuple[Any, ...]] = []
        self.refusal: str | None = None
        self.changes: dict[str, Any] = {}
        self.unread = 3 if service.count else 0

    def brief(self) -> dict[str, Any]:
        newest = 3 if self._service.count else 0
        return {"series": 7, "newest": newest, "unread": self.unread, "recent": self.newest()[::-1]}

    def newest(self, count: int = 200) -> list[dict[str, Any]]:
        rows = [
            self._notice(3, "Order filled", "event", "info", seq=37, times=4),
            self._notice(2, "Liquidation is near", "position", "critical", is_read=not self.unread),
            self._notice(1, self._service.text, "feed", "warning", is_quiet=True),
        ]
        return rows[:count] if self._service.count else []

    def _notice(self, number: int, name: str, subject: str, severity: str, **more: Any) -> dict[str, Any]:
        at_ms = self._service.now_ms - 60_000 * (4 - number)
        row = {"number": number, "rule_id": "x", "name": name, "subject": subject, "severity": severity}
        row |= {"thing": "B-ETH_USDT", "text": self._service.text, "at_ms": at_ms, "last_ms": at_ms, "seq": None}
        return {**row, "times": 1, "is_read": False, "is_quiet": False, "ways": ["toast"], **more}

    def mark_read(self, upto: int | None = None) -> None:
        self.unread = 0

    def state(self) -> dict[str, Any]:
        counts = {"fired": 3, "held_back": 2, "failures": 0, "failure": None, "is_built_in": True}
        rules = [{**rule.to_mapping(), "what": describe(rule), **counts} for rule in BUILT_IN]
        rules[1] |= {"failures": 2, "failure": "KeyError"}
        own = {"id": "own-1", "name": self._service.text, "is_built_in": False, "what": self._service.text}
        channel = {"waiting": 1, "sent": 4, "failed": 1, "dropped": 0, "is_good": False}
        channel |= {"name": "webhook:ops", "last": self._service.text, "last_ms": self._service.now_ms}
        return {
            "rules": [*rules, {**rules[0], **own}],
            "group_s": 60,
            "quiet": None,
            "channels": [channel],
            "note": None,
            "locked": None,
            "is_running": True,
            "missed": 0,
            **self.changes,
        }

    def channel_names(self) -> list[str]:
        return [*WAYS, "webhook:ops"]

    def save(self, rule: dict[str, Any]) -> str:
        return self._take("save", rule)

    def switch(self, rule_id: str, enabled: bool) -> None:
        self._take("switch", rule_id, enabled)

    def remove(self, rule_id: str) -> None:
        self._take("remove", rule_id)

    def set_quiet(self, group_s: int, quiet: dict[str, Any] | None) -> None:
        self._take("quiet", group_s, quiet)

    def test(self, channel: str) -> None:
        self._take("test", channel)

    def rehearse(self, rule: dict[str, Any], days: int) -> dict[str, Any]:
        self._take("rehearse", rule, days)
        counts = {"fired": 14, "held_back": 6, "looked_at": 1_234, "is_whole": True}
        times = {"first_ms": self._service.now_ms - 5e8, "last_ms": self._service.now_ms, "upto_ms": None}
        return {"why": None, "from_ms": 0.0, "to_ms": 1.0, **counts, **times}

    def _take(self, *what: Any) -> str:
        if self.refusal is not None:
            raise BadRequest(self.refusal)
        self.told.append(what)
        return "own-1"
