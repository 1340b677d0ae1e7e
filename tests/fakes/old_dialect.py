"""A peer that speaks Engine.IO 3 (Socket.IO 2) only: its handshake, as the exchange was seen to do it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

OPEN: Final = '0{"sid":"old-1","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'
CONNECTED: Final = "40"
CLOSES_AFTER_S: Final = 0.5
"""A socket of this dialect that sends ``40`` is closed so long afterwards."""


@contextlib.asynccontextmanager
async def old_exchange() -> AsyncIterator[str]:
    """Run one on a free port and give its address."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        # This dialect connects its clients unasked, and its packet carries no session id.
        await socket.send_str(OPEN)
        await socket.send_str(CONNECTED)
        async for message in socket:
            if message.data == CONNECTED:
                await asyncio.sleep(CLOSES_AFTER_S)
                await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/socket.io/", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
