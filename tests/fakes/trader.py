"""Random but lawful account activity on the scriptable exchange: orders live, fill and end; same seed, same moves."""

import random
import time
from typing import Any, Final

from fakes.numbered import NumberedExchange, Sent

PAIRS: Final = ("B-ETH_USDT", "B-BTC_USDT", "B-SOL_USDT")
LOTS: Final = 5
_ENDED: Final = ("filled", "cancelled")


class Trader:
    """Moves one account. Every record is what the exchange would send: cumulative quantities, rising times.

    Attributes:
        repeats: Share of frames that come twice.
        batches: Share of moves in which several orders share one frame.
    """

    def __init__(self, exchange: NumberedExchange, seed: int, repeats: float = 0.1, batches: float = 0.1) -> None:
        self._exchange, self._random = exchange, random.Random(seed)
        self.repeats, self.batches = repeats, batches
        self._live: dict[str, dict[str, Any]] = {}
        self._net: dict[str, int] = {}
        self._cash, self._count, self._last_ms = 1_000_000, 0, 0

    async def steps(self, count: int) -> None:
        """Make so many moves at once."""
        for _ in range(count):
            await self.step()

    async def step(self) -> None:
        """Make one move: a new order, or the next thing in the life of one."""
        chosen = self._random.sample(sorted(self._live), min(len(self._live), 3))
        if not chosen or (len(self._live) < 8 and self._random.random() < 0.4):
            await self._send("order", self._new_order())
        elif self._random.random() < self.batches:
            await self._send("order", *[self._moved(self._live[order_id]) for order_id in chosen])
        else:
            await self._send("order", self._moved(self._live[chosen[0]]))
        for order in [order for order in self._live.values() if order["status"] in _ENDED]:
            del self._live[order["id"]]

    async def settle(self) -> None:
        """Let every order leave ``initial``, which lasts a moment only and which no list shows."""
        for order in [order for order in self._live.values() if order["status"] == "initial"]:
            await self._send("order", self._moved(order))

    async def rest(self, side: str = "buy", pair: str = PAIRS[0]) -> str:
        """Open one order and return its id."""
        order = self._new_order(side, pair) | {"status": "open"}
        await self._send("order", order)
        return str(order["id"])

    async def fill(self, order_id: str) -> None:
        """Fill an order at once."""
        await self._send("order", self._filled(self._live.pop(order_id), LOTS))

    async def _send(self, kind: str, *records: dict[str, Any]) -> None:
        sent = await self._exchange.update(kind, *records)
        self._live.update({record["id"]: record for record in records})
        await self._maybe_repeat(sent)
        filled = [record for record in records if record["filled_now"]]
        for record in filled:
            await self._book(record)

    async def _book(self, order: dict[str, Any]) -> None:
        lots, pair = order["filled_now"], order["pair"]
        self._count += 1
        price = order["price"]
        self._exchange.fills.append(
            {"fill_id": f"f-{self._count}", "order_id": order["id"], "pair": pair, "side": order["side"],
             "price": price, "quantity": lots / 100, "is_maker": True, "timestamp": order["updated_at"]}
        )  # fmt: skip
        self._exchange.ledger.append(
            {"fill_id": f"l-{self._count}", "stage": "default", "amount": 0.5, "fee_amount": 0.01, "pair": pair,
             "parent_id": order["id"], "created_at": order["updated_at"], "updated_at": order["updated_at"]}
        )  # fmt: skip
        self._net[pair] = self._net.get(pair, 0) + (lots if order["side"] == "buy" else -lots)
        self._cash -= lots
        position = {
            "id": f"p-{pair}", "pair": pair, "active_pos": self._net[pair] / 100, "avg_price": price,
            "margin_currency_short_name": "USDT", "leverage": 5, "locked_margin": 1, "updated_at": self._now_ms(),
        }  # fmt: skip
        wallet = {"id": "w-USDT", "balance": f"{self._cash}.5", "locked_balance": "1", "currency_short_name": "USDT"}
        await self._maybe_repeat(await self._exchange.update("position", position))
        await self._maybe_repeat(await self._exchange.update("balance", wallet))

    async def _maybe_repeat(self, sent: list[Sent]) -> None:
        if self._random.random() < self.repeats:
            await self._exchange.repeat(*sent)

    def _new_order(self, side: str | None = None, pair: str | None = None) -> dict[str, Any]:
        self._count += 1
        now_ms = self._now_ms()
        return {
            "id": f"o-{self._count}", "pair": pair or self._random.choice(PAIRS),
            "side": side or self._random.choice(("buy", "sell")), "status": "initial", "order_type": "limit_order",
            "price": 2900.5, "avg_price": 0, "total_quantity": LOTS / 100, "remaining_quantity": LOTS / 100,
            "cancelled_quantity": 0, "filled_now": 0, "created_at": now_ms, "updated_at": now_ms,
        }  # fmt: skip

    def _moved(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["status"] == "initial":
            return {**order, "status": "open", "updated_at": self._now_ms()}
        left = round(order["remaining_quantity"] * 100)
        if self._random.random() < 0.2:
            return {
                **order, "status": "cancelled", "remaining_quantity": 0, "cancelled_quantity": left / 100,
                "filled_now": 0, "updated_at": self._now_ms(),
            }  # fmt: skip
        return self._filled(order, self._random.randint(1, left))

    def _filled(self, order: dict[str, Any], lots: int) -> dict[str, Any]:
        left = round(order["remaining_quantity"] * 100) - lots
        status = "partially_filled" if left else "filled"
        return {
            **order, "status": status, "remaining_quantity": left / 100, "avg_price": order["price"],
            "filled_now": lots, "updated_at": self._now_ms(),
        }  # fmt: skip

    def _now_ms(self) -> int:
        # One millisecond later at least: two versions of one time could not be told apart by anybody.
        self._last_ms = max(self._last_ms + 1, time.time_ns() // 1_000_000)
        return self._last_ms
