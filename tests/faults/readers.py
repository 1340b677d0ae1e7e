"""Clients of a sidecar in a process of their own: what each got, in which order, and how old it was on arrival.

Run as a script it is told everything by lines of JSON on its input and answers each with one line, see ``Orders``.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Self

SOCKET_PATH: Final = "/api/v1/ws/coindcx"
REQUEST: Final = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PONG: Final = b"\x8a\x80\x00\x00\x00\x00"
_SEQ: Final = re.compile(rb'\{"id":"[^"]+","timestamp":"[^"]+","type":"[a-z]+","seq":(\d+)')
_BORN: Final = re.compile(rb'"born_ns":(\d+)')
PATIENCE_S: Final = 600.0


class Client(asyncio.Protocol):
    """One socket. Numbers that do not follow each other are counted, not kept."""

    def __init__(self, query: str) -> None:
        self._query, self._rest, self._is_open = query, b"", False
        self.first = self.last = self.count = self.breaks = 0
        self.newest: int | None = None
        """The newest number when it was greeted."""
        self.told: list[dict[str, Any]] = []
        self.code: int | None = None
        self.caught_up_at: float | None = None
        self.ages_ms: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        path = f"{SOCKET_PATH}?{self._query}" if self._query else SOCKET_PATH
        transport.write(REQUEST.format(path=path).encode())

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self._is_open:
            head, end, self._rest = self._rest.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self._is_open = True
            assert head.startswith(b"HTTP/1.1 101"), head[:200]
        at, buffer = 0, self._rest
        while (frame := _frame(buffer, at)) is not None:
            opcode, start, at = frame
            self._take(opcode, buffer[start:at])
        self._rest = buffer[at:]

    def connection_lost(self, problem: Exception | None) -> None:
        self.code = self.code or 1006

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 0x8:
            self.code = int.from_bytes(payload[:2], "big")
        elif opcode == 0x9:
            self._transport.write(PONG)
        elif (found := _SEQ.match(payload)) is not None:
            self._count(int(found[1]), payload)
        else:
            self._hear(json.loads(payload))

    def _count(self, seq: int, payload: bytes) -> None:
        self.first = self.first or seq
        self.breaks += self.count > 0 and seq != self.last + 1
        self.count, self.last = self.count + 1, seq
        if self.newest is not None and seq > self.newest and (born := _BORN.search(payload)) is not None:
            self.ages_ms.append((time.monotonic_ns() - int(born[1])) / 1e6)
        self._look()

    def _hear(self, message: dict[str, Any]) -> None:
        if self.newest is None and "seq" in message.get("data", {}):
            self.newest = message["data"]["seq"]
            self._look()
        elif message["type"] == "system":
            self.told.append(message["data"])

    def _look(self) -> None:
        if self.caught_up_at is None and self.newest is not None and self.last >= self.newest:
            self.caught_up_at = time.monotonic()

    def report(self) -> dict[str, Any]:
        """Return what it got, without the ages."""
        names = ("first", "last", "count", "breaks", "told", "code")
        return {name: getattr(self, name) for name in names}


def _frame(buffer: bytes, at: int) -> tuple[int, int, int] | None:
    """Return opcode, start and end of the payload of the frame at a place, ``None`` while it is not whole."""
    if len(buffer) - at < 2:
        return None
    size, start = buffer[at + 1], at + 2
    more = {126: 2, 127: 8}.get(size, 0)
    if more:
        if len(buffer) - start < more:
            return None
        size, start = int.from_bytes(buffer[start : start + more], "big"), start + more
    return None if len(buffer) < start + size else (buffer[at] & 0x0F, start, start + size)


class Orders:
    """What can be asked of the process: ``connect``, ``caught_up``, ``ages`` and ``upto``."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self._began = 0.0

    async def connect(self, port: int, queries: list[str]) -> bool:
        """Open a socket for each query, all at once, and wait until every one is greeted."""
        loop, self._began = asyncio.get_running_loop(), time.monotonic()
        self.clients = [Client(query) for query in queries]
        opening = (loop.create_connection(lambda each=each: each, "127.0.0.1", port) for each in self.clients)
        await asyncio.gather(*opening)
        await self._until(lambda each: each.newest is not None)
        return True

    async def caught_up(self) -> list[float]:
        """Wait until each has what was the newest at its greeting; seconds since ``connect``, in order."""
        await self._until(lambda each: each.caught_up_at is not None or each.code is not None)
        return sorted((each.caught_up_at or 0.0) - self._began for each in self.clients)

    async def ages(self) -> list[float]:
        """Return how old live events were on arrival since this was asked last, milliseconds."""
        found = [age for each in self.clients for age in each.ages_ms]
        for each in self.clients:
            each.ages_ms.clear()
        return found

    async def upto(self, seq: int) -> list[dict[str, Any]]:
        """Wait until each has an event or was closed, and report."""
        await self._until(lambda each: each.last >= seq or each.code is not None)
        return [each.report() for each in self.clients]

    async def _until(self, condition: Any) -> None:
        end = time.monotonic() + PATIENCE_S
        while not all(condition(each) for each in self.clients) and time.monotonic() < end:
            await asyncio.sleep(0.01)


class Readers:
    """The other side: a child process with clients. Use as an asynchronous context."""

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, str(Path(__file__))]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 26)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        await self._process.wait()

    async def ask(self, name: str, *arguments: object) -> Any:
        """Let the child do one of the ``Orders`` and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *arguments]).encode() + b"\n")
        answer = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_S + 10)
        return json.loads(answer)


def wrong(reports: Iterable[dict[str, Any]], since: Iterable[int], last: int) -> list[dict[str, Any]]:
    """Return the reports that are not every event from behind a number to another, each once, in order."""
    expected = [(before + 1, last, last - before, 0, [], None) for before in since]
    return [found for found, right in zip(reports, expected, strict=True) if tuple(found.values()) != right]


async def _serve() -> None:
    loop, orders = asyncio.get_running_loop(), Orders()
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        name, *arguments = json.loads(line)
        print(json.dumps(await getattr(orders, name)(*arguments)), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
