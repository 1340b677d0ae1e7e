"""A TCP proxy that does to a connection what networks do, switchable while it runs. Vocabulary as in toxiproxy."""

import asyncio
import contextlib
import random
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

_CHUNK_BYTES: Final = 65_536
_QUEUED_CHUNKS: Final = 64
"""Bytes on the way under latency are bounded; beyond them the sender feels it, as with a real window."""

Direction = Literal["up", "down"]

Passed = Callable[[Direction, object, bytes, bool], None]
"""Told of direction, connection and bytes after each write, and whether all so far are with the receiver's kernel."""


@dataclass(slots=True)
class Toxics:
    """What happens to the bytes of one direction, from the next chunk on.

    Attributes:
        latency_s: Added to each chunk; throughput stays.
        jitter_s: Up to this much more, at random; the order stays.
        bandwidth_bps: Bytes per second at most; ``None`` is unlimited.
        slice_bytes: Chunks are cut into pieces of this size, each sent by itself; 0 leaves them whole.
        slice_pause_s: Pause after each piece.
        limit_bytes: After so many bytes of a connection it is cut; ``None`` is never.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bandwidth_bps: float | None = None
    slice_bytes: int = 0
    slice_pause_s: float = 0.0
    limit_bytes: int | None = None

    @property
    def piece_bytes(self) -> int:
        """How much is sent at once, 0 for whatever came: a narrow line sends 20 times a second."""
        steady = int(self.bandwidth_bps / 20) or 1 if self.bandwidth_bps else 0
        return min(self.slice_bytes or steady, steady or self.slice_bytes)

    def pause_s(self, sent_bytes: int) -> float:
        """Pause after a piece of this size."""
        pause_s = self.slice_pause_s if self.slice_bytes else 0.0
        return pause_s + (sent_bytes / self.bandwidth_bps if self.bandwidth_bps else 0.0)


class FaultProxy:
    """Stands before one server. ``up`` is client to server, ``down`` server to client.

    Args:
        url: Address of the server, ``http://127.0.0.1:PORT``.
        seed: Of the jitter.

    Attributes:
        passed: Told of everything that this line hands on.

    Threads: one loop.
    """

    def __init__(self, url: str, *, seed: int = 1) -> None:
        target = urlsplit(url)
        assert target.hostname is not None
        assert target.port is not None
        self._target = (target.hostname, target.port)
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._random = random.Random(seed)
        self._flow = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.toxics: dict[Direction, Toxics] = {"up": Toxics(), "down": Toxics()}
        self.accepted = 0
        self.bytes = {"up": 0, "down": 0}
        self.port = 0
        self.passed: Passed | None = None
        self.heal()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def up(self) -> Toxics:
        return self.toxics["up"]

    @property
    def down(self) -> Toxics:
        return self.toxics["down"]

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._links)

    async def listen(self) -> None:
        """Accept connections, again on the same port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Accept no connection more: the port is closed. Open ones stay."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def close(self) -> None:
        await self.refuse()
        await self.reset()

    async def cut(self) -> None:
        """End every connection on both sides in order (FIN); what is on the way is lost."""
        for link in list(self._links):
            link.close()
        await self._end()

    async def reset(self) -> None:
        """Tear every connection on both sides (RST)."""
        for link in list(self._links):
            link.reset()
        await self._end()

    def hold(self, *directions: Direction) -> None:
        """Let nothing pass any more, in one direction (half-open) or, by default, both (black hole).

        As with a pulled cable nobody is told, and what was sent arrives after :meth:`heal`. New connections are
        accepted and silent.
        """
        for direction in directions or ("up", "down"):
            self._flow[direction].clear()

    def heal(self) -> None:
        """Let everything pass again."""
        for flow in self._flow.values():
            flow.set()

    async def _end(self) -> None:
        tasks = [link.task for link in self._links]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        link = _Link(task, [writer])
        self._links.add(link)
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._target)
            link.writers.append(upstream_writer)
            async with asyncio.TaskGroup() as group:
                self._pass(group, "up", reader, upstream_writer)
                self._pass(group, "down", upstream_reader, writer)
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # either side went away, or a fault was asked for
        finally:
            link.close()
            self._links.discard(link)

    def _pass(
        self, group: asyncio.TaskGroup, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        queue: _Queue = asyncio.Queue(_QUEUED_CHUNKS)
        group.create_task(self._take(direction, reader, queue))
        group.create_task(self._send(direction, queue, writer))

    async def _take(self, direction: Direction, reader: asyncio.StreamReader, queue: "_Queue") -> None:
        due, chunk = 0.0, b"any"
        while chunk:
            chunk = await reader.read(_CHUNK_BYTES)
            toxics = self.toxics[direction]
            due = max(due, time.monotonic() + toxics.latency_s + self._random.uniform(0, toxics.jitter_s))
            await queue.put((due, chunk))

    async def _send(self, direction: Direction, queue: "_Queue", writer: asyncio.StreamWriter) -> None:
        sent = 0
        while True:
            due, chunk = await queue.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._flow[direction].wait()
            if not chunk:
                writer.write_eof()
                return
            for piece in _pieces(chunk, self.toxics[direction].piece_bytes):
                await self._write(direction, piece, writer, sent)
                sent += len(piece)

    async def _write(self, direction: Direction, piece: bytes, writer: asyncio.StreamWriter, sent: int) -> None:
        toxics = self.toxics[direction]
        allowed = len(piece) if toxics.limit_bytes is None else max(0, toxics.limit_bytes - sent)
        await self._flow[direction].wait()
        writer.write(piece[:allowed])
        self.bytes[direction] += len(piece[:allowed])
        await writer.drain()
        if self.passed is not None:
            self.passed(direction, writer, piece[:allowed], not writer.transport.get_write_buffer_size())
        if toxics.limit_bytes is not None and allowed <= len(piece):
            raise ConnectionAbortedError("the limit of bytes is reached")
        await asyncio.sleep(toxics.pause_s(len(piece)))


_Queue = asyncio.Queue[tuple[float, bytes]]
"""Chunks with the moment they may be sent; an empty one is the end of the stream."""


class _Link:
    # One accepted connection with both of its sockets.
    def __init__(self, task: "asyncio.Task[None]", writers: list[asyncio.StreamWriter]) -> None:
        self.task, self.writers = task, writers

    def close(self) -> None:
        for writer in self.writers:
            writer.close()

    def reset(self) -> None:
        for writer in self.writers:
            connection: socket.socket = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):  # gone already
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


def _pieces(chunk: bytes, size: int) -> list[bytes]:
    return [chunk[at : at + size] for at in range(0, len(chunk), size)] if size else [chunk]


@contextlib.asynccontextmanager
async def fault_proxy(url: str) -> AsyncIterator[FaultProxy]:
    """Run a proxy before a server."""
    proxy = FaultProxy(url)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()
