"""The demo: the embedded exchange in a thread of its own, and the only door from this package to the simulator.

The feed connects to it over a real socket like to any exchange. Orders go to its loopback port, never anywhere else.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from coindcx_feed.errors import ConfigError
from coindcx_feed.feed.normalize import Frame
from coindcx_feed.simulator import client, exchange, frames
from coindcx_feed.simulator.demo import demo_exchange
from coindcx_feed.simulator.playback import PlaybackExchange
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET
from coindcx_feed.simulator.topics import Frame as SimulatedFrame

log = logging.getLogger(__name__)

START_S: Final = 20.0
STOP_S: Final = 3.0
HOLD_S: Final = 15.0
"""The account stands still until the feed has joined, at most so long: no event falls between past and present."""
SEED: Final = 1
HISTORY_NOTE: Final = "30 simulated minutes before the start of this demo end here"


class DemoExchange:
    """Starts and stops the embedded exchange. Threads: the caller's, from start to stop the same.

    Args:
        port: Loopback port; 0 lets the system choose one.
        seed: Same seed, same account.
    """

    key, secret = DEMO_KEY, DEMO_SECRET
    past_note = HISTORY_NOTE

    def __init__(self, port: int, seed: int = SEED) -> None:
        self._port, self._seed = port, seed
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> list[Frame]:
        """Serve, and return the simulated past, oldest first.

        Raises:
            ConfigError: If the port cannot be bound.
        """
        engine, past = demo_exchange(self._seed, time.time_ns() // 1_000_000)
        server = exchange.build_exchange_server(engine, port=self._port, hold_s=HOLD_S)
        self._thread = threading.Thread(target=self._run, args=(server,), name="coindcx-exchange", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_S):
            raise ConfigError(f"expected the embedded exchange to start within {START_S:g} s, it did not")
        if self._failure is not None:
            raise self._failure
        return [_received(frame) for frame in past]

    def stop(self) -> None:
        """Close its sockets and free the port; harmless when it does not run."""
        loop, stopping = self._loop, self._stopping
        if self._thread is not None and loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
                loop.call_soon_threadsafe(stopping.set)
            self._thread.join(STOP_S)

    def place_order(self, side: str, pair: str, qty: str, price: str | None, leverage: str | None) -> str:
        """Place an order on the embedded exchange and say what became of it.

        Raises:
            ConfigError: If it refuses; one line.
        """
        placed = client.place_order(self._port, side, pair, qty, price, leverage)
        return f"order {placed['id']} {placed['status']}"

    def cancel_order(self, order_id: str) -> str:
        """Cancel an order of the embedded exchange.

        Raises:
            ConfigError: If it refuses; one line.
        """
        client.cancel_order(self._port, order_id)
        return f"cancel of {order_id} accepted"

    def _run(self, server: Any) -> None:
        try:
            asyncio.run(self._serve(server))
        except ConfigError as error:
            self._failure = error
        except Exception as error:
            log.exception("embedded exchange ended")
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self, server: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with server:
            self._port = server.port
            self._ready.set()
            await self._stopping.wait()


def _received(frame: SimulatedFrame) -> Frame:
    argument = {"event": frame.event, "data": frame.data}
    return Frame(0, frame.event, argument, frame.at_ms * 1_000_000)


async def simulate(port: int, seed: int) -> None:
    """Run the embedded exchange alone until cancelled.

    Raises:
        ConfigError: If the port cannot be bound.
    """
    await exchange.serve(port=port, seed=seed)


async def simulate_frames(files: Sequence[Path], port: int, interval_s: float, speed: float) -> None:
    """Serve recorded frames until cancelled.

    Raises:
        ConfigError: If a file or the port cannot be used.
    """
    await frames.serve_frames(frames.load_frames(files, interval_s=interval_s, speed=speed), port=port)


def playback_exchange(port: int) -> PlaybackExchange:
    """Build an exchange that sends what a replay shows. Loopback only, like every one of them."""
    return PlaybackExchange(port)


place_order = client.place_order
cancel_order = client.cancel_order
