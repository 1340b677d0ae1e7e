"""The WebSocket under the Socket.IO server, with a gate in it: a frozen exchange, missing pings, unread pongs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from engineio.base_socket import BaseSocket

from coindcx_feed.simulator.behaviour import Behaviour

_PING: Final = "2"
_PONG: Final = "3"

LineFactory = Callable[[Any, Any], "Line"]


class Pings:
    """Ends the ping of a socket with the socket.

    The library lets it sleep on for the rest of its interval, 25 s, and keeps the socket and its task for as long.

    Args:
        engine: Engine.IO's server; its pings are started through this from now on.

    Threads: the server's loop.
    """

    def __init__(self, engine: Any) -> None:
        self._start: Callable[..., asyncio.Task[Any]] = engine.start_background_task
        self._tasks: dict[object, asyncio.Task[Any]] = {}
        engine.start_background_task = self.start

    def start(self, target: Callable[..., Any], *arguments: Any, **named: Any) -> asyncio.Task[Any]:
        """Start a task of the library; all that its sockets start are pings, one at a time each."""
        task = self._start(target, *arguments, **named)
        socket = getattr(target, "__self__", None)
        if isinstance(socket, BaseSocket):
            self._tasks[socket] = task
        return task

    def end(self, socket: object) -> None:
        """End what a socket has started; it starts nothing more."""
        task = self._tasks.pop(socket, None)
        if task is not None:
            task.cancel()


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
        pings: Pings,
        handler: Callable[["Line"], Awaitable[None]],
        server: object,
    ) -> None:
        self._handler = handler
        self._gate, self._pings = gate, pings
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
            self._pings.end(getattr(self._handler, "__self__", None))

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


def line_factory(socket: Callable[..., Any], gate: Gate, pings: Pings) -> LineFactory:
    """Return what Engine.IO calls to make a WebSocket: its own one behind the gate."""
    return lambda handler, server: Line(socket, gate, pings, handler, server)
