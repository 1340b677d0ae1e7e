"""The made-up account of the fake service: orders, positions, balances and their series."""

from typing import Any

import numpy as np
from ui.fake_words import PAIRS


class FakeAccount:
    """What a page sees of the account. The service sets the attributes."""

    now_ms: float
    count: int
    state: str
    text: str

    def orders(self) -> list[dict[str, Any]]:
        return [self._order(number) for number in range(min(self.count, 30))]

    def _order(self, number: int) -> dict[str, Any]:
        status = ("open", "partially_filled", "filled", "cancelled", "rejected", "odd_new_word")[number % 6]
        share = {"partially_filled": 0.6, "filled": 1.0}.get(status, 0.0)
        updated_ms = int(self.now_ms - number * 97_000)
        return {
            "id": f"{number:08x}-90f2-4be1",
            "pair": PAIRS[number % 3],
            "side": ("buy", "sell")[number % 2],
            "status": status,
            "status_is_known": status != "odd_new_word",
            "order_type": "limit_order",
            "price": "2936.40",
            "stop_price": None,
            "avg_price": "2936.39" if share else None,
            "quantity": "0.250",
            "remaining_quantity": "0.100",
            "cancelled_quantity": "0.0",
            "filled_quantity": "0.150",
            "filled_share": share,
            "leverage": "5.0",
            "margin_currency": "USDT",
            "fee": "0.0173555",
            "message": self.text,
            "created_ms": updated_ms - 1_560_000,
            "updated_ms": updated_ms,
            "received_ms": updated_ms + 60.0,
            "seq": self.count - number,
            "is_terminal": status in ("filled", "cancelled", "rejected"),
        }

    def order(self, order_id: str) -> dict[str, Any] | None:
        found = [order for order in self.orders() if order["id"] == order_id]
        if not found:
            return None
        start = found[0]["created_ms"]
        filled = (
            (0, "initial", 0.0),
            (60, "open", 0.0),
            (400_000, "partially_filled", 0.05),
            (900_000, "partially_filled", 0.15),
        )
        steps = [
            {
                "t_ms": float(start + after),
                "status": status,
                "filled": amount,
                "avg_price": "2936.40" if amount else None,
                "seq": 1,
            }
            for after, status, amount in filled
        ]
        return {"order": found[0], "steps": steps}

    def positions(self) -> list[dict[str, Any]]:
        if not self.count:
            return []
        fresh = self.state in ("live", "quiet")
        long = {
            "id": "p-eth",
            "pair": "B-ETH_USDT",
            "margin_currency": "USDT",
            "quote": "USDT",
            "side": "long",
            "size": "0.250",
            "avg_price": "2898.40",
            "mark_price": "2941.50",
            "mark_age_s": 0.4 if fresh else 42.0,
            "mark_is_fresh": fresh,
            "liquidation_price": "2384.12",
            "leverage": "5.0",
            "margin_type": "isolated",
            "margin": "144.92",
            "maintenance_margin": "7.35",
            "unrealized_pnl": "10.7750",
            "pnl_share": 0.0743,
            "liquidation_distance": 0.1895,
            "stop": "2790.00",
            "target": None,
            "updated_ms": int(self.now_ms),
            "received_ms": self.now_ms,
            "seq": self.count,
        }
        short = long | {
            "id": "p-btc",
            "pair": "B-BTC_USDT",
            "side": "short",
            "size": "-0.012",
            "avg_price": "83880.0",
            "mark_price": "83514.8",
            "liquidation_price": "90612.5",
            "unrealized_pnl": "4.38240",
            "pnl_share": 0.044,
            "liquidation_distance": 0.085,
            "leverage": "10.0",
            "stop": None,
        }
        loss = long | {
            "id": "p-sol",
            "pair": "B-SOL_USDT",
            "margin_currency": "INR",
            "size": "12.00",
            "avg_price": "141.905",
            "mark_price": "137.482",
            "liquidation_price": "130.944",
            "unrealized_pnl": "-53.0760",
            "pnl_share": -0.312,
            "liquidation_distance": 0.0476,
            "margin": "170.29",
            "stop": None,
        }
        flat = long | {
            "id": "p-eth-inr",
            "margin_currency": "INR",
            "side": "flat",
            "size": "0.0",
            "avg_price": None,
            "unrealized_pnl": None,
            "pnl_share": None,
            "liquidation_price": None,
            "liquidation_distance": None,
            "margin": "0.0",
            "stop": None,
        }
        return [long, short, loss, flat]

    def position_series(self, position_id: str, since_ms: float) -> dict[str, Any] | None:
        if position_id not in {position["id"] for position in self.positions()}:
            return None
        t_ms = np.arange(max(since_ms, self.now_ms - 1_800_000), self.now_ms, 1_000.0)
        mark = 2_920 + 20 * np.sin(np.arange(len(t_ms)) / 90.0)
        mark[len(mark) // 2 : len(mark) // 2 + 60] = np.nan
        average = np.full(len(t_ms), 2_898.4)
        return {
            "t_ms": t_ms,
            "mark": mark,
            "avg": average,
            "liquidation": np.full(len(t_ms), 2_384.12),
            "size": np.full(len(t_ms), 0.25),
            "pnl": 0.25 * (mark - average),
            "fills": [{"t_ms": float(t_ms[100]), "price": 2_925.0, "side": "buy", "quantity": 0.05}]
            if len(t_ms) > 100
            else [],
        }

    def balances(self) -> list[dict[str, Any]]:
        if not self.count:
            return []
        usdt = {
            "id": "w1",
            "currency": "USDT",
            "total": "812.40118204",
            "available": "396.52718204",
            "locked": "415.874",
            "locked_share": 0.512,
            "received_ms": self.now_ms,
            "seq": self.count,
            "in_inr": {"text": "72303.7052", "rate": "89.00", "rate_ms": int(self.now_ms - 60_000)},
        }
        inr = usdt | {
            "id": "w2",
            "currency": "INR",
            "total": "1650841.59606695345873",
            "available": "1650841.59606695345873",
            "locked": "0.0",
            "locked_share": 0.0,
            "in_inr": None,
        }
        return [usdt, inr]

    def balance_series(self, currency: str, since_ms: float) -> dict[str, Any]:
        t_ms = np.linspace(max(since_ms, self.now_ms - 1_800_000), self.now_ms, 40)
        available = np.linspace(530.0, 396.5, 40)
        return {"t_ms": t_ms, "total": available + 415.9, "available": available, "locked": np.full(40, 415.9)}

    def conversion(self) -> dict[str, Any] | None:
        return {"rate": "89.00", "at_ms": int(self.now_ms - 60_000), "source": "exchange"}
