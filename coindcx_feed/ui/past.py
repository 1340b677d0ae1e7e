"""The past as pages ask for it: the questions of the service, answered as of one stored event. Draws nothing."""

from datetime import date, datetime, time, tzinfo
from typing import Any

from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node

Rows = list[dict[str, Any]]


class Past:
    """Answers as of a moment, in the words of the service.

    Args:
        service: The feed's service.
        moment: What it knows about the event, as ``moments.find`` returns it.
    """

    def __init__(self, service: Any, moment: dict[str, Any]) -> None:
        self._service = service
        self._moments = service.moments
        self.moment = moment
        self.seq: int = moment["seq"]

    def version(self) -> int:
        """Return a number that differs from any of the present: nothing kept for now must be taken for then."""
        return -self.seq

    def status(self) -> dict[str, Any]:
        """Return what of the status is known about then; ``now_ms`` is the moment."""
        current = self._service.status()
        kept = {name: current[name] for name in ("mode", "pairs", "has_credentials")}
        connected = self.moment["connected"] and self.moment["gap"] is None
        transport = {"proof": None, "age_s": 0.0 if connected else None, "limit_s": 10.0}
        return {
            **kept,
            "is_now": False,
            "now_ms": self.moment["received_ms"],
            "connected": connected,
            "transport": transport,
        }

    def seen(self) -> dict[str, list[str]]:
        seen: dict[str, list[str]] = self._service.seen()
        return seen

    def orders(self) -> Rows:
        orders: Rows = self._moments.orders_at(self.seq)
        return orders

    def order(self, order_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._moments.order_at(order_id, self.seq)
        return found

    def positions(self) -> Rows:
        positions: Rows = self._moments.positions_at(self.seq)
        return positions

    def position_series(self, position_id: str, since_ms: float) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._moments.position_series_at(position_id, self.seq, since_ms)
        return found

    def balances(self) -> Rows:
        balances: Rows = self._moments.balances_at(self.seq)
        return balances

    def balance_series(self, currency: str, since_ms: float) -> dict[str, Any]:
        found: dict[str, Any] = self._moments.balance_series_at(currency, self.seq, since_ms)
        return found

    def conversion(self) -> None:
        """Return nothing: the rate of then is not stored, and that of now would be newer."""

    def gaps(self, since_ms: float) -> Rows:
        gaps: Rows = self._moments.gaps_at(self.seq, since_ms)
        return gaps


def still(node: Node | None, at_ms: float) -> Node | None:
    """Write ages as of a moment: in the past they do not grow."""
    if node is None:
        return None
    kept = {name: part for name, part in node.items() if name not in ("since", "until", "warn_s", "ago", "children")}
    if "since" in node:
        seconds = (at_ms - node["since"]) / 1000
        kept["text"] = fmt.duration(seconds) + (" ago" if node.get("ago") else "")
        if node.get("warn_s") is not None and seconds > node["warn_s"]:
            kept["class"] = f"{kept.get('class', '')} warn".strip()
    elif "until" in node:
        kept["text"] = fmt.duration((node["until"] - at_ms) / 1000)
    if "children" in node:
        kept["children"] = [still(child, at_ms) for child in node["children"]]
    return kept


def parse_time(text: str, zone: tzinfo, day_ms: float) -> float | None:
    """Read a time as a reader types it: ``14:02``, ``14:02:11.5``, ``2026-11-22 14:02``, or with a zone of its own.

    Args:
        zone: Zone of a time that names none.
        day_ms: A time of the day that is meant where no date is typed, Unix ms.
    Returns:
        Unix ms, or ``None`` when it is no time.
    """
    typed = text.strip()
    try:
        if ":" in typed and "-" not in typed.partition(":")[0]:
            moment = datetime.combine(_day(day_ms, zone), time.fromisoformat(typed))
        else:
            moment = datetime.fromisoformat(typed)
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        unix_ms = aware.timestamp() * 1000
    except (ValueError, OverflowError):
        return None
    return unix_ms if 0 <= unix_ms < 9e15 else None


def _day(ms: float, zone: tzinfo) -> date:
    return fmt.moment(ms, zone).date()
