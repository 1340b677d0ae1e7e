"""The running exchange: drives the engine and the market data from the wall clock and sends what they publish."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.channels import Publisher
from coindcx_feed.simulator.courier import Courier
from coindcx_feed.simulator.demo import demo_exchange
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.orders_api import OrdersApi
from coindcx_feed.simulator.rest import RestApi
from coindcx_feed.simulator.server import DEFAULT_PORT, DEMO_CREDENTIALS, ExchangeServer
from coindcx_feed.simulator.topics import Frame

TICK_S: Final = 0.1
# After a pause the engine catches up in slices of this length, so that sockets and pings are served between them.
SLICE_MS: Final = 5_000


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class LiveExchange:
    """Keeps an engine at the present and hands its frames to the sockets.

    Args:
        exchange: The engine; its time is now or in the past.
        hold_s: Let no time pass for the account until a private join, for at most so long: a client that was given the
            frames up to now then misses none. Market data flow meanwhile.
        clock_ms: Unix ms.

    Threads: the server's loop.
    """

    def __init__(self, exchange: Exchange, *, hold_s: float = 0, clock_ms: Callable[[], int] = wall_clock_ms) -> None:
        self.exchange = exchange
        self.publisher = Publisher(exchange)
        self._clock_ms = clock_ms
        self._hold_s = hold_s
        self._is_held = hold_s > 0
        self._lock = asyncio.Lock()
        self._server: ExchangeServer | None = None
        self._courier: Courier | None = None

    async def run(self, server: ExchangeServer) -> None:
        """Follow the wall clock until cancelled."""
        self._server, self._courier = server, Courier(self.exchange.behaviour, server.hub.outbox.emissions)
        end_s = time.monotonic() + self._hold_s
        while True:
            if self._is_held and (server.hub.joined(wire.PRIVATE_CHANNEL) or time.monotonic() >= end_s):
                self._is_held = False
            await self.catch_up()
            await asyncio.sleep(TICK_S)

    async def catch_up(self) -> None:
        """Bring engine and market data to the present and send what they publish, in order of time."""
        async with self._lock:
            now_ms = self._clock_ms()
            await self._send(self.publisher.advance(now_ms, self._server.hub.topics() if self._server else ()))
            while not self._is_held and self.exchange.now_ms < now_ms:
                frames = self.exchange.advance(min(now_ms, self.exchange.now_ms + SLICE_MS))
                await self._send(self._courier.carry(frames, self.exchange.now_ms) if self._courier else frames)
                await asyncio.sleep(0)

    async def _send(self, frames: list[Frame]) -> None:
        if self._server is not None:
            for frame in frames:
                await self._server.emit(frame.event, frame.data, frame.channel)


def build_exchange_server(
    exchange: Exchange,
    *,
    port: int = DEFAULT_PORT,
    hold_s: float = 0,
    behaviour: Behaviour | None = None,
    clock_ms: Callable[[], int] = wall_clock_ms,
) -> ExchangeServer:
    """Build a server around an engine: socket, REST, and the demo's own order routes.

    Args:
        exchange: The engine, for example that of :func:`demo.demo_exchange`.
        port: TCP port; 0 lets the system choose one.
        hold_s: See :class:`LiveExchange`.
        behaviour: Replaces the engine's own, which is the default: one object serves engine, sockets and REST.
        clock_ms: Unix ms.
    """
    exchange.behaviour = behaviour or exchange.behaviour
    live = LiveExchange(exchange, hold_s=hold_s, clock_ms=clock_ms)
    return ExchangeServer(
        port=port,
        behaviour=exchange.behaviour,
        credentials=DEMO_CREDENTIALS,
        pairs=exchange.pairs,
        routes=[*RestApi(live, DEMO_CREDENTIALS).routes(), *OrdersApi(live).routes()],
        background=[live.run],
    )


async def serve(port: int = DEFAULT_PORT, seed: int = 1) -> None:
    """Run the simulated exchange with its demo trader until cancelled.

    Raises:
        ConfigError: If the port cannot be bound.
    """
    exchange, _ = demo_exchange(seed, wall_clock_ms())
    async with build_exchange_server(exchange, port=port):
        await asyncio.Event().wait()
