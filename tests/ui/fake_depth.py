"""Positions and balances in depth as the service tells them, for states that a demo never reaches."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ui.fake_service import FakeService

UNKNOWN = {"value": None, "reason": "no fresh mark", "basis": None}


class FakeDepth:
    """Answers like ``Depth``.

    Attributes:
        is_unmarked: No mark of any pair is known.
        reading: How many of how many events are read, while they are.
    """

    def __init__(self, service: "FakeService") -> None:
        self._service = service
        self.is_unmarked = False
        self.reading: tuple[int, int] | None = None
        self.asked: list[tuple[Any, ...]] = []

    def risks(self, at: int | None = None) -> dict[str, Any]:
        self.asked.append(("risks", at))
        opened = [row for row in self._service.positions() if row["side"] != "flat"]
        return {"positions": {row["id"]: self._risk(row) for row in opened}, "exposure": self._exposure(len(opened))}

    def _risk(self, row: dict[str, Any]) -> dict[str, Any]:
        now_ms = self._service.now_ms
        if self.is_unmarked:
            return {
                "ratio": UNKNOWN,
                "ranges": UNKNOWN,
                "time_s": UNKNOWN,
                "stop_distance": None,
                "target_distance": None,
                "opened_ms": None,
                "is_whole": False,
                "bare_since_ms": None,
                "bare_ms": None,
                "funding": None,
                "next_funding": {"amount": None, "rate": None, "at_ms": None, "reason": "no fresh mark"},
            }
        return {
            "ratio": {"value": 0.047, "reason": None, "basis": None},
            "ranges": {"value": 5.62, "reason": None, "basis": "range 2,890 to 2,990"},
            "time_s": {"value": 5_400.0, "reason": None, "basis": "60 steps of 60 s"},
            "stop_distance": 0.0515 if row["stop"] else None,
            "target_distance": None,
            "opened_ms": now_ms - 3_600_000,
            "is_whole": True,
            "bare_since_ms": None if row["stop"] else now_ms - 90_000,
            "bare_ms": 90_000.0,
            "funding": {"amount": "-0.25", "count": 3, "told": 2, "currency": "USDT", "is_certain": True},
            "next_funding": {"amount": "-0.07", "rate": "0.0001", "at_ms": now_ms + 240_000, "reason": None},
        }

    def _exposure(self, count: int) -> list[dict[str, Any]]:
        if not count:
            return []
        rupees = None if self.is_unmarked else "301472.9574"
        total = {
            "pair": "",
            "quote": "USDT",
            "positions": count,
            "known": 0 if self.is_unmarked else count,
            "unrealized_pnl": None if self.is_unmarked else "-37.92",
            "mark_age_s": None if self.is_unmarked else 0.4,
            "long": "2385.159",
            "short": "1002.1776",
            "total": "3387.3366",
            "net": "1382.9814",
            "share": 1.0,
            **dict.fromkeys(("long_inr", "short_inr", "net_inr", "total_inr"), rupees),
        }
        return [total | {"pair": "B-ETH_USDT"}, total]

    def explained(self, currency: str, since_ms: float, at: int | None = None) -> dict[str, Any]:
        self.asked.append(("explained", at))
        now_ms, text = self._service.now_ms, self._service.text
        cause = {
            "seq": 35,
            "t_ms": now_ms - 4_000,
            "pair": text,
            "reference": text,
            "source": "ledger",
            "amount": "-2.5",
            "parts": {"realised": "0.5", "fee": "-3"},
        }
        row = {
            "seq": 36,
            "t_ms": now_ms - 3_000,
            "change": "-2.5",
            "moved": "0",
            "total": "812.4",
            "parts": cause["parts"],
            "residue": "0",
            "is_whole": True,
            "unexplained": "0",
            "causes": [cause],
        }
        odd = row | {"seq": 34, "change": "50", "parts": {}, "residue": "50", "is_whole": False, "causes": []}
        moved = row | {"seq": 33, "change": "0", "moved": "-30.5", "parts": {}, "causes": []}
        rows = [row, odd | {"unexplained": "50"}, moved]
        found = {
            "rows": rows,
            "more": 4,
            "sums": {"realised": "0.5", "fee": "-3", "change": "47.5", "residue": "50"},
            "changes": 2,
            "whole": 1,
            "moves": 1,
            "unexplained": "50",
            "from_ms": now_ms - 3_600_000,
        }
        return found if self.reading is None else {**found, "rows": [], "reading": self.reading}

    def episode(self, position_id: str, first_seq: int | None = None, at: int | None = None) -> dict[str, Any] | None:
        self.asked.append(("episode", at))
        found = [row for row in self._service.positions() if row["id"] == position_id]
        if not found or found[0]["side"] == "flat" or first_seq not in (None, 20, 30):
            return None
        now_ms = self._service.now_ms
        span = {
            "first_seq": first_seq or 30,
            "last_seq": 37,
            "opened_ms": now_ms - 600_000,
            "closed_ms": None if first_seq in (None, 30) else now_ms - 60_000,
            "side": "long",
            "most": "0.25",
            "is_whole": True,
        }
        series = self._service.position_series(position_id, now_ms - 610_000)
        assert series is not None
        if self.is_unmarked:
            series |= {name: np.full(len(series["t_ms"]), np.nan) for name in ("mark", "pnl")}
        way = {"best": 18.2, "best_ms": now_ms - 90_000, "worst": 0.4, "worst_ms": now_ms - 300_000}
        if self.is_unmarked:
            way = dict.fromkeys(way)  # type: ignore[arg-type]
        rows = [self._step(number) for number in range(37, 29, -1)]
        return {
            **span,
            "choices": [span | {"first_seq": 30}, span | {"first_seq": 20}],
            "pair": found[0]["pair"],
            "quote": "USDT",
            "margin_currency": "USDT",
            "start_ms": now_ms - 610_000,
            "end_ms": now_ms if span["closed_ms"] is None else span["closed_ms"],
            "has_first_order": True,
            "rows": rows,
            "more": 0,
            "computed": 2,
            "fills": 1,
            "fees": "0.13",
            "funding": "-0.25",
            "realised": "10",
            "series": series,
            "way": way,
        }

    def _step(self, number: int) -> dict[str, Any]:
        what = ("order", "fill", "size", "margin", "protection", "funding", "booked")[number % 7]
        return {
            "seq": number,
            "t_ms": self._service.now_ms - (40 - number) * 9_000,
            "what": what,
            "word": self._service.text if what == "order" else what,
            "side": "buy" if what in ("order", "fill") else None,
            "price": "2898.4" if what == "fill" else None,
            "quantity": "0.25",
            "size": "0.25",
            "average": "2898.4",
            "margin": "144.92",
            "liquidation": "2384.12",
            "fees": "0.13",
            "funding": "-0.25",
            "realised": "10",
        }
