"""The market of the fake service: plain data of the real one's shapes, with odd states on request."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ui.fake_service import FakeService

NAMES = ["B-BTC_USDT", "B-ETH_USDT", "B-SOL_USDT", "B-XRP_USDT"]


class FakeMarket:
    """Answers like ``MarketService``.

    Args:
        service: Whose clock and text are used.
    """

    def __init__(self, service: "FakeService") -> None:
        self._service = service
        self.pairs = ["B-ETH_USDT", "B-BTC_USDT"]
        self.available = True
        self.book_state = "synced"
        self.error: str | None = None
        self.looked: list[tuple[str, ...]] = []

    def quotes(self) -> dict[str, Any]:
        rows = [self._quote(pair) for pair in self.pairs] if self.available else []
        return {"available": self.available, "rows": rows}

    def _quote(self, pair: str) -> dict[str, Any]:
        now_ms = self._service.now_ms
        is_fresh = self._service.state in ("live", "quiet")
        t_ms = np.linspace(now_ms - 900_000, now_ms, 60)
        price = 2_941 + np.sin(np.arange(60) / 7)
        price[20:23] = np.nan
        return {
            "pair": pair,
            "base": pair[2:5],
            "quote": "USDT",
            "is_listed": True,
            "last": "2941.8",
            "last_age_s": 0.4 if is_fresh else 42.0,
            "mark": "2941.5",
            "mark_age_s": 0.4 if is_fresh else 42.0,
            "is_fresh": is_fresh,
            "index": None,
            "change_percent": "-0.42",
            "high": "2988.4",
            "low": "2899.15",
            "volume": "1830221988.7",
            "day_age_s": 8.0,
            "funding_rate": "0.0001",
            "settled_rate": "-0.000042",
            "funding_ms": int(now_ms + 6_000_000),
            "funding_hours": 8,
            "spark": {"from_ms": now_ms - 900_000, "to_ms": now_ms, "t_ms": t_ms, "price": price},
        }

    def names(self) -> dict[str, Any]:
        return {"names": NAMES, "error": None}

    def book(self, pair: str) -> dict[str, Any] | None:
        self.looked.append((pair,))
        is_known = self.book_state in ("synced", "old")
        bids, asks = (_ladder(start, step) if is_known else [] for start, step in ((2_941.5, -0.1), (2_941.6, 0.1)))
        return {
            "state": self.book_state,
            "reason": None if is_known else self._service.text,
            "vs": 7,
            "age_s": 42.0 if self.book_state == "old" else 0.4,
            "exchange_ms": int(self._service.now_ms),
            "bids": bids,
            "asks": asks,
            "bid_depth": _depth(bids),
            "ask_depth": _depth(asks),
            "spread": "0.1" if is_known else None,
            "spread_share": 0.000034 if is_known else None,
            "middle": "2941.55" if is_known else None,
            "bid_share": 0.5 if is_known else None,
        }

    def candles(self, pair: str, resolution: str) -> dict[str, Any] | None:
        self.looked.append((pair, resolution))
        count = 120 if self._service.count else 0
        t_ms = self._service.now_ms - 60_000.0 * np.arange(count, 0, -1)
        close = 2_940 + 5 * np.sin(np.arange(count) / 9)
        names = ("open", "high", "low", "close")
        return {
            "resolution": resolution,
            "length_ms": 60_000,
            "t_ms": t_ms,
            "open": np.roll(close, 1),
            "high": close + 6,
            "low": close - 6,
            "close": close,
            "volume": np.full(count, 12.5),
            "newest": dict.fromkeys(names, "2941.8") if count else None,
            "live_age_s": 0.4 if count else None,
            "is_fresh": bool(count) and self._service.state in ("live", "quiet"),
            "is_whole": True,
            "is_made_of_days": resolution in ("3d", "1w"),
            "error": self.error,
        }

    def trades(self, pair: str, limit: int = 40) -> list[dict[str, Any]]:
        sides = ("buy", "sell", None)
        return [
            {
                "number": number,
                "at_ms": int(self._service.now_ms) - number * 700,
                "price": "2941.80",
                "quantity": "0.250",
                "side": sides[number % 3],
                "received_ms": self._service.now_ms,
            }
            for number in range(min(limit, self._service.count))
        ]

    def watch(self, pair: str) -> dict[str, Any]:
        if pair not in NAMES:
            return {"ok": False, "message": self._service.text}
        self.pairs.append(pair)
        return {"ok": True, "message": ""}

    def unwatch(self, pair: str) -> dict[str, Any]:
        self.pairs.remove(pair)
        return {"ok": True, "message": ""}


def _ladder(start: float, step: float) -> list[dict[str, Any]]:
    return [
        {"price": f"{start + step * number:.2f}", "size": "0.500", "total": f"{0.5 * (number + 1):.3f}", "share": 0.05}
        for number in range(20)
    ]


def _depth(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: np.array([float(row[name]) for row in rows]) for name in ("price", "total")}
