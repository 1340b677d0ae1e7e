"""A service with the methods and plain data of the real one, for odd states that a demo never reaches."""

import asyncio
import json
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ui.fake_account import FakeAccount
from ui.fake_alerts import FakeAlerts
from ui.fake_connection import FakeConnection
from ui.fake_depth import FakeDepth
from ui.fake_market import FakeMarket
from ui.fake_moments import FakeMoments
from ui.fake_past import FakePast
from ui.fake_replaying import FakeReplaying
from ui.fake_since import FakeSince
from ui.fake_words import EPOCH, PAIRS

from coindcx_feed.feed.wakeups import Wakeups

ANCHOR = "_coindcx_feed_process"
HOSTILE = (
    "<img src=http://evil.example/x onerror=alert(1)> **bold** [a](http://evil.example) =1+1 \u202egpj.exe\u200b `x`"
)
STATUSES = ("initial", "open", "partially_filled", "filled")

Row = dict[str, Any]


class FakeService(FakeAccount, FakeConnection):
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

    def signs_in(self) -> bool:
        return False

    def epoch_of(self, seq: int) -> str:
        return self.epoch()

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
            "is_repeat": False,
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
