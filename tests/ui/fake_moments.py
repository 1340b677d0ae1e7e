"""The past of the fake service: one event a second and a half, the same account at each."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ui.fake_service import FakeService


class FakeMoments:
    """Answers like ``Moments``. Events ``first`` to the newest are stored, but for those in ``lost``.

    Args:
        service: Whose account it is.
        has_log: Without one there is no past.
    """

    def __init__(self, service: "FakeService", *, has_log: bool = True) -> None:
        self.service = service
        self.has_log = has_log
        self.first = 1
        self.lost: set[int] = set()
        self.connected = True
        self.missing: dict[str, int] | None = None
        self.gap: dict[str, Any] | None = None
        self.asked: list[tuple[str, int]] = []

    def span(self) -> dict[str, Any] | None:
        if not self.has_log or not self.service.count:
            return None
        times = {"first_ms": self._at(self.first), "newest_ms": self._at(self.service.count)}
        return {"first_seq": self.first, "newest_seq": self.service.count, **times}

    def _at(self, seq: int) -> float:
        return float(self.service.row(seq)["received_ms"])

    def find(self, text: str) -> dict[str, Any]:
        nothing: dict[str, Any] = {"moment": None, "problem": None, "nearest": None}
        if self.span() is None:
            return nothing | {"problem": "there is no durable log to look back into"}
        found = self.moment(int(text)) if text.isdigit() else None
        if found is None:
            problem = f"at: expected the number of an event from {self.first} to {self.service.count}, was {text!r}"
            return nothing | {"problem": problem, "nearest": self.service.count}
        return nothing | {"moment": found}

    def moment(self, seq: int) -> dict[str, Any] | None:
        span = self.span()
        if span is None or not self.first <= seq <= self.service.count or seq in self.lost:
            return None
        row = self.service.row(seq)
        told = {"state": "live", "connected": self.connected, "told_ms": row["received_ms"] - 90_000}
        shown = {name: row[name] for name in ("received_ms", "type", "pair", "status")}
        return {
            "seq": seq,
            "epoch": "20261122T140212-0a1b2c3d",
            "gap": self.gap,
            "missing": self.missing,
            **shown,
            **span,
            **told,
        }

    def seq_at(self, unix_ms: float) -> int | None:
        numbers = range(self.service.count, self.first - 1, -1)
        return next((seq for seq in numbers if self._at(seq) <= unix_ms), None)

    def nearest(self, seq: int) -> int | None:
        return self.before(seq + 1) or self.after(seq)

    def before(self, seq: int) -> int | None:
        return next((number for number in range(seq - 1, self.first - 1, -1) if number not in self.lost), None)

    def after(self, seq: int) -> int | None:
        return next((number for number in range(seq + 1, self.service.count + 1) if number not in self.lost), None)

    def orders_at(self, seq: int) -> list[dict[str, Any]]:
        self.asked.append(("orders", seq))
        return self.service.orders()[:7]

    def order_at(self, order_id: str, seq: int) -> dict[str, Any] | None:
        return self.service.order(order_id)

    def positions_at(self, seq: int) -> list[dict[str, Any]]:
        self.asked.append(("positions", seq))
        known = self.service.positions()
        unknown = {"mark_price": None, "mark_age_s": None, "mark_is_fresh": False, "unrealized_pnl": None}
        return [position | unknown | {"pnl_share": None, "liquidation_distance": None} for position in known]

    def position_series_at(self, position_id: str, seq: int, since_ms: float) -> dict[str, Any] | None:
        return self.service.position_series(position_id, since_ms)

    def balances_at(self, seq: int) -> list[dict[str, Any]]:
        self.asked.append(("balances", seq))
        return [balance | {"in_inr": None} for balance in self.service.balances()]

    def balance_series_at(self, currency: str, seq: int, since_ms: float) -> dict[str, Any]:
        return self.service.balance_series(currency, since_ms)

    def gaps_at(self, seq: int, since_ms: float) -> list[dict[str, Any]]:
        return self.service.gaps()
