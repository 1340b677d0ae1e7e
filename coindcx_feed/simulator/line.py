"""The WebSocket under the Socket.IO server, with a gate in it: a frozen exchange, missing pings, unread pongs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from coindcx_feed.simulator.behaviour import Behaviour

_PING: Final = "2"
_PONG: Final = "3"

LineFactory = Callable[[Any, Any], "Line"]


class Gate:
    """Whether bytes pass. Closed, the TCP connections stay open and nothing moves in either direction.

    Threads: the server's loop.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_frozen(self) -> bool:
        """Whether nothing passes."""
        return not self._open.is_set()

    def freeze(self) -> None:
        """Let nothing pass from now on."""
        self._open.clear()

    def thaw(self) -> None:
        """Let everything pass again, what waited first."""
        self._open.set()

    async def passed(self) -> None:
        """Return as soon as the gate is open."""
        await self._open.wait()


class Line:
    """One WebSocket as Engine.IO's server uses it: it is called with the request, then sends, waits and closes.

    A ping that must not leave is answered here in the client's place: the server behind it, which would close a socket
    that does not answer, goes on as if nothing was missing.
    """

    def __init__(
        self,
        socket: Callable[..., Any],
        gate: Gate,
        handler: Callable[["Line"], Awaitable[None]],
        server: object,
    ) -> None:
        self._handler = handler
        self._gate = gate
        self._socket = socket(self._run, server)
        self._arrived: asyncio.Queue[Any] = asyncio.Queue()

    async def __call__(self, environ: dict[str, Any]) -> Any:
        return await self._socket(environ)

    async def send(self, message: str) -> None:
        """Send a packet, when the gate is open."""
        if message == _PING and (self._gate.is_frozen or not self._gate.behaviour.sends_pings):
            self._arrived.put_nowait(_PONG)
            return
        await self._gate.passed()
        await self._socket.send(message)

    async def wait(self) -> Any:
        """Return the next packet of the client.

        Raises:
            OSError: If the connection has ended.
        """
        packet = await self._arrived.get()
        if isinstance(packet, OSError):
            raise packet
        return packet

    async def close(self) -> None:
        """Close the connection, when the gate is open."""
        await self._gate.passed()
        await self._socket.close()

    async def _run(self, _socket: object) -> None:
        reading = asyncio.create_task(self._read())
        try:
            await self._handler(self)
        finally:
            reading.cancel()

    async def _read(self) -> None:
        while True:
            try:
                packet = await self._socket.wait()
            except OSError as error:
                self._arrived.put_nowait(error)
                return
            await self._gate.passed()
            if packet != _PONG or self._gate.behaviour.reads_pongs:
                self._arrived.put_nowait(packet)


def line_factory(socket: Callable[..., Any], gate: Gate) -> LineFactory:
    """Return what Engine.IO calls to make a WebSocket: its own one behind the gate."""
    return lambda handler, server: Line(socket, gate, handler, server)
