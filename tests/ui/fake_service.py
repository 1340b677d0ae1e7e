"""A service with the methods and plain data of the real one, for odd states that a demo never reaches."""

import asyncio
import json
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ui.fake_alerts import FakeAlerts
from ui.fake_depth import FakeDepth
from ui.fake_market import FakeMarket
from ui.fake_moments import FakeMoments
from ui.fake_past import FakePast
from ui.fake_replaying import FakeReplaying
from ui.fake_since import FakeSince

from coindcx_feed.feed.wakeups import Wakeups

ANCHOR = "_coindcx_feed_process"
HOSTILE = (
    "<img src=http://evil.example/x onerror=alert(1)> **bold** [a](http://evil.example) =1+1 \u202egpj.exe\u200b `x`"
)
EPOCH = "20261122T140212-0a1b2c3d"
PAIRS = ("B-ETH_USDT", "B-BTC_USDT", "B-SOL_USDT")
STATUSES = ("initial", "open", "partially_filled", "filled")

Row = dict[str, Any]


class FakeService:
    """Answers like ``FeedService``.

    Args:
        events: Events in the ring.
        state: State shown.
        text: Stands wherever the exchange's own text stands.
        changes: Replace entries of the status.
    """

    def __init__(
        self, events: int = 40, state: str = "live", text: str = "ETH limit buy order filled!", **changes: Any
    ) -> None:
        self.now_ms = time.time() * 1000
        self.count = events
        self.state = state
        self.text = text
        self.changes = changes
        self.asked: list[dict[str, Any]] = []
        self.placed: list[tuple[Any, ...]] = []
        self.viewers = 0
        self.wakeups = Wakeups()
        self.moments = FakeMoments(self)
        self.past = FakePast(self)
        self.replaying = FakeReplaying()
        self.depth = FakeDepth(self)
        self.market = FakeMarket(self)
        self.since = FakeSince(self)
        self.alerts = FakeAlerts(self)

    def version(self) -> int:
        return self.count

    def epoch(self) -> str:
        return EPOCH

    def continues(self, seq: int, epoch: str) -> bool:
        return epoch == EPOCH and seq <= self.count

    def listen(self, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> Callable[[], None]:
        return self.wakeups.listen(loop, event)

    def add(self, count: int = 1) -> None:
        """Let events arrive."""
        self.count += count
        self.wakeups.notify()

    def page_opened(self) -> None:
        self.viewers += 1

    def page_closed(self) -> None:
        self.viewers -= 1

    def status(self) -> dict[str, Any]:
        connected = self.state in ("live", "quiet")
        ended = self.state in ("rejected", "stopped")
        age_s = 0.4 if connected else 42.0
        return {
            "mode": "demo",
            "state": self.state,
            "label": "Live" if connected else "Disconnected" if ended else "Reconnecting",
            "connected": connected,
            "state_since_ms": int(self.now_ms - 728_000),
            "reason": None if connected else self.text,
            "next_try_ms": None if connected else int(self.now_ms + 4_000),
            "transport": {"proof": "frame", "age_s": age_s, "limit_s": 10.0},
            "account": {"fact": "proven" if connected else "unproven", "age_s": age_s},
            "epoch": EPOCH,
            "version": self.count,
            "kept": self.count,
            "capacity": 100_000,
            "last_event_ms": int(self.now_ms - age_s * 1000) if self.count else None,
            "last_event_seq": self.count or None,
            "delay": {"p50_ms": 62.0, "p95_ms": 118.0, "p99_ms": 204.0, "count": 300} if self.count else None,
            "has_credentials": True,
            "pairs": list(PAIRS),
            "sidecar": {"url": "ws://127.0.0.1:8000/api/v1/ws/coindcx", "clients": 2, "error": None},
            "simulator": {"port": 8010},
            "owner": None,
            "replay": None,
            "store": {"engine": "sqlite", "url": "sqlite:///events.sqlite", "outage": None},
            "started_ms": int(self.now_ms - 3_600_000),
            "now_ms": int(time.time() * 1000),
            "joins": 1,
            "clock_skew": {"offset_ms": 120.0, "uncertainty_ms": 30.0, "samples": 12},
            "completeness": {"share": 0.9994, "gaps": 2, "away_s": 41.0},
            "counters": {
                "frames": 900,
                "records": 950,
                "events": self.count,
                "duplicates": 17,
                "late": 1,
                "quarantined": 1,
                "market": 12_000,
                "connects": 1,
                "failures": 0,
            },
            **self.changes,
        }

    def seen(self) -> dict[str, list[str]]:
        return {"pairs": [*PAIRS, "USDT"], "statuses": list(STATUSES)}

    def row(self, seq: int) -> Row:
        kind = ("order", "order", "position", "balance")[seq % 4]
        received_ms = self.now_ms - (self.count - seq) * 1_370.0
        row: Row = {
            "seq": seq,
            "type": kind,
            "source": "stream",
            "late": seq % 29 == 0,
            "received_ms": received_ms,
            "exchange_ms": int(received_ms) - 62 if kind != "balance" else None,
            "pair": PAIRS[seq % 3],
            "side": None,
            "status": None,
            "price": None,
            "quantity": None,
            "filled_quantity": None,
            "id": f"{seq % 12:08x}-90f2-4be1",
            "message": self.text,
            "what_changed": "status → filled · filled 0.020 → 0.050 ▲",
        }
        if kind == "order":
            row |= {"side": ("buy", "sell")[seq % 5 == 0], "status": STATUSES[seq // 2 % 4], "price": "2941.80"}
            row |= {"quantity": "0.050", "filled_quantity": "0.020"}
        elif kind == "position":
            row |= {
                "price": "2898.40",
                "quantity": "0.250",
                "what_changed": "size 0.200 → 0.250 ▲ · avg 2,887.60 → 2,898.40",
            }
        else:
            row |= {"pair": "USDT", "quantity": "396.52718204", "what_changed": "locked 232.31 → 246.82 ▲"}
        if seq % 31 == 0:
            row["what_changed"] = self.text  # as a system event tells it
        return row

    def select(
        self, criteria: dict[str, Any], limit: int = 500, upto: int | None = None, after: int = 0
    ) -> dict[str, Any]:
        self.asked.append({"criteria": criteria, "upto": upto, "after": after})
        newest = self.count if upto is None else min(upto, self.count)
        wanted = set(criteria.get("types", ()))
        sides = set(criteria.get("sides", ()))
        rows = [
            row
            for row in map(self.row, range(newest, max(after, newest - 4 * limit), -1))
            if (not wanted or row["type"] in wanted)
            and (not sides or row["side"] in sides)
            and criteria.get("text", "") in (row["id"] + row["message"])
        ]
        return {"rows": rows[:limit], "matching": len(rows), "kept": self.count, "newest": newest}

    def event(self, seq: int) -> dict[str, Any] | None:
        if not 0 < seq <= self.count:
            return None
        row = self.row(seq)
        record = json.dumps(
            {"id": row["id"], "pair": row["pair"], "price": 2941.8, "display_message": self.text, "group_id": None}
        )
        fields = [("id", row["id"]), ("display_message", self.text), ("fee_amount", "0.0173555")]
        changed = [
            {"field": "status", "before": "partially_filled", "after": "filled"},
            {"field": "filled_quantity", "before": "0.020", "after": "0.050"},
            {"field": "locked_margin", "before": "11.77", "after": "0.00"},
            {"field": "display_message", "before": None, "after": self.text},
        ]
        return {
            **row,
            "record": record,
            "body": json.dumps({"seq": seq, "data": json.loads(record)}),
            "fields": fields,
            "changes": {"since_seq": seq - 1, "since_ms": 890.0, "rows": changed},
            "timeline": [self.row(number) for number in range(max(1, seq - 36), seq + 1, 12)],
            "related": [self.row(number) for number in range(seq + 1, min(seq + 3, self.count + 1))],
        }

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

    def gaps(self) -> list[dict[str, Any]]:
        return [
            {
                "from_ms": self.now_ms - 900_000,
                "to_ms": self.now_ms - 840_000,
                "cause": self.text,
                "recovered": 3,
                "unknown": None,
            },
            {
                "from_ms": self.now_ms - 90_000_000,
                "to_ms": self.now_ms - 89_000_000,
                "cause": "server closed the socket (1005)",
                "recovered": None,
                "unknown": self.text,
            },
        ]

    def feed(self) -> dict[str, Any]:
        t_ms = np.arange(120, dtype=np.float64) * 30_000 + self.now_ms - 3_600_000
        kept = {
            "arrival": 9,
            "at_ms": self.now_ms - 60_000,
            "event": "df-order-update",
            "reason": self.text,
            "raw": self.text * 3,
            "raw_bytes": 412,
        }
        states = [
            {
                "state": "connecting",
                "from_ms": self.now_ms - 3_500_000,
                "to_ms": self.now_ms - 3_400_000,
                "reason": None,
            },
            {"state": "live", "from_ms": self.now_ms - 3_400_000, "to_ms": self.now_ms - 900_000, "reason": None},
            {"state": "stale", "from_ms": self.now_ms - 900_000, "to_ms": self.now_ms - 840_000, "reason": self.text},
            {"state": self.state, "from_ms": self.now_ms - 840_000, "to_ms": None, "reason": None},
        ]
        return {
            "states": states,
            "rates": {
                "bucket_s": 30,
                "t_ms": t_ms,
                "order": np.full(120, 6),
                "position": np.full(120, 3),
                "balance": np.full(120, 2),
            },
            "delays": {
                "t_ms": t_ms,
                "p50": np.full(120, 62.0),
                "p95": np.full(120, 118.0),
                "p99": np.full(120, np.nan),
            },
            "quarantine": [kept],
            "duplicates": [kept | {"arrival": 10}],
            "gaps": self.gaps(),
            "quirks": [
                {
                    "quirk": "status that is not documented",
                    "total": 3,
                    "first_ms": self.now_ms - 90_000,
                    "last_ms": self.now_ms - 9_000,
                    "sample": self.text,
                }
            ],
            "odd": [{"key": "order o-1", "since_ns": (self.now_ms - 30_000) * 1_000_000, "text": self.text}],
            "divergence": {
                "at_ms": float(self.now_ms - 60_000),
                "compared": 12,
                "unknown": self.text,
                "rows": [
                    {
                        "type": "order",
                        "id": "o-1",
                        "pair": self.text,
                        "field": "status",
                        "rest": self.text,
                        "stream": "open",
                        "read_ms": float(self.now_ms - 60_000),
                        "is_grave": True,
                        "stream_ms": float(self.now_ms - 90_000),
                        "touched": [37, 7],
                    }
                ],
            },
            "log": [
                f"2026-11-22T14:02:12.310Z INFO upstream state={self.state}",
                f"2026-11-22T14:02:13.310Z WARN x={self.text}",
            ],
        }

    def export(
        self, criteria: dict[str, Any], kind: str = "csv", upto: int | None = None, after: int = 0
    ) -> dict[str, Any]:
        raise AssertionError("the pages' tests do not click a download")

    def watch_pair(self, pair: str) -> dict[str, Any]:
        return self.market.watch(pair)

    def unwatch_pair(self, pair: str) -> dict[str, Any]:
        return self.market.unwatch(pair)

    def place_order(self, *order: Any) -> dict[str, Any]:
        self.placed.append(order)
        return {"ok": True, "message": f"accepted {self.text}"}

    def cancel_order(self, order_id: str) -> dict[str, Any]:
        self.placed.append(("cancel", order_id))
        return {"ok": False, "message": self.text}


def install(service: FakeService) -> None:
    """Make the pages of this process see the fake: the real one lives in the same synthetic module."""
    import threading

    module = types.ModuleType(ANCHOR)
    module.lock = threading.RLock()  # type: ignore[attr-defined]
    module.service = service  # type: ignore[attr-defined]
    sys.modules[ANCHOR] = module


ROOT = Path(__file__).resolve().parents[2]
