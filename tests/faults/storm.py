"""Random faults for the soak: each begins, lasts a moment and is healed; the seed decides which and how long."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from fakes.numbered import NumberedExchange
from fakes.proxy import FaultProxy, Toxics
from fakes.rest_api import Say
from fakes.trader import Trader

from coindcx_feed.exchange import wire

BAD_FRAMES = ('[{"id":"cut"', "[[[[", '[{"id":"x","status":"open","price":NaN}]', "null", '[{"status":"open"}]')
STEP_S = (0.005, 0.04)


class Scene(Protocol):
    """What a storm needs: the exchange, the line to it, and who moves the account."""

    exchange: NumberedExchange
    proxy: FaultProxy
    trader: Trader


class Storm:
    """Keeps an account busy and its line bad.

    Attributes:
        met: How often each fault was tried.
        burden: Moves of the account between faults; paused while it is false.
    """

    def __init__(self, there: Scene, seed: int) -> None:
        self._there, self._random = there, random.Random(seed)
        self.met: Counter[str] = Counter()
        self._faults: list[Callable[[], Awaitable[object]]] = [
            there.exchange.server.kick, there.exchange.close_engine, there.exchange.server.abort, there.proxy.reset,
            there.proxy.cut, self.refused, self.black_hole, self.half_open, self.slow_line, self.tiny_pieces,
            self.frozen, self.swallowed, self.reads_fail, self.reads_trail, self.reads_slow, self.bad_frames,
            self.burst, self.revoked, self.wallet_returns,
        ]  # fmt: skip

    async def blow(self) -> None:
        """Do one fault from beginning to end."""
        fault = self._random.choice(self._faults)
        self.met[fault.__name__] += 1
        await fault()
        await self._moment(0.1, 0.6)

    async def trade(self) -> None:
        """Move the account until cancelled."""
        while True:
            await self._there.trader.step()
            await asyncio.sleep(self._random.uniform(*STEP_S))

    async def _moment(self, least_s: float, most_s: float) -> None:
        await asyncio.sleep(self._random.uniform(least_s, most_s))

    async def refused(self) -> None:
        await self._there.proxy.refuse()
        await self._there.proxy.cut()
        await self._moment(0.2, 1.0)
        await self._there.proxy.listen()

    async def black_hole(self) -> None:
        self._there.proxy.hold()
        await self._moment(0.5, 2.5)
        self._there.proxy.heal()

    async def half_open(self) -> None:
        self._there.proxy.hold(self._random.choice(("up", "down")))
        await self._moment(0.5, 2.5)
        self._there.proxy.heal()

    async def slow_line(self) -> None:
        self._there.proxy.toxics["down"] = Toxics(latency_s=0.05, jitter_s=0.1)
        await self._moment(0.5, 1.5)
        self._there.proxy.toxics["down"] = Toxics()

    async def tiny_pieces(self) -> None:
        self._there.proxy.toxics["down"] = Toxics(slice_bytes=self._random.randint(40, 200))
        await self._moment(0.3, 0.8)
        self._there.proxy.toxics["down"] = Toxics()

    async def frozen(self) -> None:
        exchange = self._there.exchange
        exchange.has_prices, exchange.is_swallowing = False, True
        await self._moment(0.5, 2.0)
        exchange.has_prices, exchange.is_swallowing = True, False

    async def swallowed(self) -> None:
        self._there.exchange.is_swallowing = True
        await self._moment(0.1, 0.4)
        self._there.exchange.is_swallowing = False

    async def reads_fail(self) -> None:
        self._there.exchange.trouble = self._random.choice((Say({"message": "busy"}, 503), Say(b"<html>", 403)))
        await self._there.exchange.server.kick()
        await self._moment(0.3, 1.5)
        self._there.exchange.trouble = None

    async def reads_trail(self) -> None:
        self._there.exchange.lag_s = self._random.uniform(0.2, 2.0)
        await self._there.exchange.server.kick()
        await self._moment(0.5, 1.5)
        self._there.exchange.lag_s = 0.0

    async def reads_slow(self) -> None:
        self._there.exchange.api.delay_s = 0.1
        await self._there.exchange.server.kick()
        await self._moment(0.5, 1.0)
        self._there.exchange.api.delay_s = 0.0

    async def bad_frames(self) -> None:
        for data in self._random.sample(BAD_FRAMES, 3):
            await self._there.exchange.server.emit(wire.ORDER_EVENT, data, wire.PRIVATE_CHANNEL)

    async def burst(self) -> None:
        await self._there.trader.steps(self._random.randint(100, 400))

    async def revoked(self) -> None:
        self._there.exchange.revoke()
        await self._there.exchange.server.kick()
        await self._moment(0.5, 1.5)
        self._there.exchange.is_revoked = self._there.exchange.server.reject_joins = False

    async def wallet_returns(self) -> None:
        wallets = [
            {"id": "w-INR", "balance": free, "locked_balance": "0", "currency_short_name": "INR"} for free in ("1", "2")
        ]
        for number in range(6):
            await self._there.exchange.update("balance", wallets[number % 2])
