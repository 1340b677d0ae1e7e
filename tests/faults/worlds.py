"""A running feed and the whole simulated exchange, in one process, over real sockets."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from coindcx_feed.exchange.states import Timings
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService
from coindcx_feed.settings import Settings
from coindcx_feed.simulator import client
from coindcx_feed.simulator.behaviour import Behaviour, instant
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.exchange import build_exchange_server
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

FAST = Timings(joined_after_s=0.2, proof_s=3, retry_first_s=0.05, retry_most_s=0.2, tick_s=0.02)


class World:
    """One exchange, one feed."""

    def __init__(self, engine: Exchange, exchange: ExchangeServer, runtime: FeedRuntime) -> None:
        self.engine, self.exchange, self.runtime = engine, exchange, runtime
        self.service = FeedService(runtime)

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return all events so far, or those of one type, as clients get them."""
        found = [json.loads(event.body) for event in self.runtime.ring.since(0, 1_000_000)]
        return [event for event in found if kind is None or event["type"] == kind]

    @property
    def is_watched(self) -> bool:
        return self.runtime.change.state.is_connected

    async def place(self, side: str, pair: str, qty: str, price: str | None = None) -> str:
        """Place an order on the exchange and return its id."""
        placed = await asyncio.to_thread(client.place_order, self.exchange.port, side, pair, qty, price)
        return str(placed["id"])

    async def cancel(self, order_id: str) -> None:
        await asyncio.to_thread(client.cancel_order, self.exchange.port, order_id)


@contextlib.asynccontextmanager
async def world(
    folder: Path, timings: Timings = FAST, *, behaviour: Behaviour | None = None, **settings: Any
) -> AsyncIterator[World]:
    """Run both; the account has a deposit and does nothing by itself."""
    engine = Exchange(1, time.time_ns() // 1_000_000 - 1_000, behaviour or instant())
    engine.deposit("USDT", Decimal(50_000))
    engine.deposit("INR", Decimal(1_000_000))
    async with build_exchange_server(engine, port=0) as exchange:
        chosen = Settings(
            _env_file=None,
            mode="live",
            api_key=DEMO_KEY,
            api_secret=DEMO_SECRET,
            stream_url=exchange.url.replace("http", "ws"),
            api_url=exchange.url,
            public_url=exchange.url,
            sidecar_port=0,
            data_dir=folder,
            **{"rest_per_minute": 900, **settings},
        )
        runtime = FeedRuntime(chosen, "serve", timings=timings)
        runtime.linger_s = 0.3
        await asyncio.to_thread(runtime.start)
        try:
            yield World(engine, exchange, runtime)
        finally:
            await asyncio.to_thread(runtime.stop)
