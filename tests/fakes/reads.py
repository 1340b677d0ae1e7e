"""Signed reads without a network: a test says what each list holds, how long it takes and whether it fails."""

import asyncio
import json
import time
from typing import Any

from coindcx_feed.errors import RestError
from coindcx_feed.exchange.records import BalanceRecord, FillRecord, LedgerRecord, OrderRecord, PositionRecord
from coindcx_feed.exchange.rest_rows import Reading, Row


def reading(model: Any, records: list[dict[str, Any]], because: str | None = None) -> Reading[Any]:
    """Build a reading of these records."""
    rows = []
    for fields in records:
        record = model.model_validate(fields)
        key = record.key if model in (FillRecord, LedgerRecord) else record.id
        rows.append(Row(key, record, json.dumps(fields).encode(), time.time() * 1000))
    return Reading(tuple(rows), (), because, None, 0.0, 0.0, 1)


class FakeReads:
    """Answers like ``AccountReads``.

    Attributes:
        asked: Every read with its lower bound, in order.
        failing: Reads that fail, by name.
        delay_s: What the list of orders takes.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, int | None]] = []
        self.failing: dict[str, RestError] = {}
        self.partial: set[str] = set()
        self.delay_s = 0.0
        self._fills = asyncio.Event()
        self._fills.set()
        self.lists: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("orders", "positions", "wallets", "fills", "ledger")
        }

    def count(self, name: str) -> int:
        """Return how often a list was read."""
        return sum(asked == name for asked, _ in self.asked)

    def since_ms(self, name: str) -> list[int]:
        """Return how far back each reading of a list went, in order. Unix ms."""
        return [since_ms for asked, since_ms in self.asked if asked == name and since_ms is not None]

    async def orders(self, since_ms: int | None = None, live: Any = ()) -> Reading[OrderRecord]:
        await asyncio.sleep(self.delay_s)
        return self._answer("orders", OrderRecord, since_ms)

    async def positions(self) -> Reading[PositionRecord]:
        return self._answer("positions", PositionRecord)

    async def wallets(self) -> Reading[BalanceRecord]:
        return self._answer("wallets", BalanceRecord)

    def hold_fills(self) -> None:
        """Let no list of fills be answered from now on."""
        self._fills.clear()

    def release_fills(self) -> None:
        self._fills.set()

    async def fills(self, pair: str, from_ms: int) -> Reading[FillRecord]:
        if not self._fills.is_set():
            self.asked.append(("fills", from_ms))
            await self._fills.wait()
        return self._answer("fills", FillRecord, from_ms)

    async def ledger(self, since_ms: int | None = None) -> Reading[LedgerRecord]:
        return self._answer("ledger", LedgerRecord, since_ms)

    def _answer(self, name: str, model: Any, since_ms: int | None = None) -> Reading[Any]:
        self.asked.append((name, since_ms))
        if name in self.failing:
            raise self.failing[name]
        return reading(model, self.lists[name], "a page is missing" if name in self.partial else None)
