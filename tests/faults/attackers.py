"""Attackers of the sidecar over raw sockets, from addresses of their own (127.0.0.2 and up), and what they heard.

Run as a script this file attacks a port for some seconds, from one core: ``attackers.py PORT SECONDS CORE``.
"""

import asyncio
import contextlib
import itertools
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import Final

SOCKET_PATH: Final = "/api/v1/ws/coindcx"
DEADLINE_S: Final = 20.0
TEXT, MORE, BINARY, CLOSE, PING, PONG = 0x1, 0x0, 0x2, 0x8, 0x9, 0xA
_RESET: Final = struct.pack("ii", 1, 0)


def upgrade(*headers: str, query: str = "", host: str = "127.0.0.1") -> bytes:
    """Build the request for a socket; ``host`` empty leaves its header out."""
    lines = [
        f"GET {SOCKET_PATH}{'?' + query if query else ''} HTTP/1.1",
        *([f"Host: {host}"] if host else []),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def frame(opcode: int, payload: bytes, *, is_final: bool = True, size: int | None = None) -> bytes:
    """Build a masked frame; ``size`` lies about its length."""
    size = len(payload) if size is None else size
    first = (0x80 if is_final else 0) | opcode
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 0x10000:
        head = bytes((first, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


class Line:
    """One connection that does as it likes.

    Attributes:
        heard: All bytes the server ever sent on it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.heard = b""

    async def say(self, data: bytes) -> None:
        """Send; a server that hung up is no failure of an attacker."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            return

    async def listen(self, until: bytes | None = None) -> bytes:
        """Read to the end, or until something was said."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE_S):
                while (until is None or until not in self.heard) and (data := await self._reader.read(65_536)):
                    self.heard += data
        return self.heard

    async def listen_to_close(self) -> bytes:
        """Read until a close frame comes; the server would wait for ours."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE_S):
                while self.close_code is None and (data := await self._reader.read(65_536)):
                    self.heard += data
        return self.heard

    @property
    def status(self) -> int:
        return int(self.heard[9:12] or b"0")

    @property
    def close_code(self) -> int | None:
        """The code of the close frame, if one was heard."""
        rest = self.heard.partition(b"\r\n\r\n")[2]
        while len(rest) >= 2:
            size, at = rest[1], 2
            if size == 126:
                size, at = int.from_bytes(rest[2:4], "big"), 4
            elif size == 127:
                size, at = int.from_bytes(rest[2:10], "big"), 10
            if rest[0] & 0xF == CLOSE:
                return int.from_bytes(rest[at : at + 2], "big")
            rest = rest[at + size :]
        return None

    def hang_up(self, *, by_reset: bool = False) -> None:
        """Leave, politely or not."""
        sock = self._writer.get_extra_info("socket")
        if by_reset and sock is not None and not self._writer.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()


class Gang:
    """Attackers of one port; each call may come from another address.

    Attributes:
        heard: Everything the server sent to any of them that was asked for it.
    """

    def __init__(self, port: int, addresses: int = 1) -> None:
        self._port = port
        self._sources = itertools.cycle(f"127.0.0.{number}" for number in range(2, 2 + addresses))
        self.heard: list[bytes] = []

    async def dial(self) -> Line:
        source = (next(self._sources), 0)
        return Line(*await asyncio.open_connection("127.0.0.1", self._port, local_addr=source))

    async def ask(self, request: bytes, *, until: bytes | None = b"\r\n\r\n") -> Line:
        """Say something, hear the answer, hang up."""
        line = await self.dial()
        await line.say(request)
        self.heard.append(await line.listen(until))
        line.hang_up()
        return line

    async def converse(self, *said: bytes, request: bytes | None = None) -> Line:
        """Open a socket, say something on it, listen to its end."""
        line = await self.dial()
        await line.say(upgrade() if request is None else request)
        await line.listen(b"\r\n\r\n")
        for data in said:
            await line.say(data)
        self.heard.append(await line.listen_to_close())
        line.hang_up()
        return line


async def in_waves(work: Callable[[int], Awaitable[object]], count: int, wave: int = 40) -> None:
    """Do something many times, some at a time."""
    for first in range(0, count, wave):
        await asyncio.gather(*(work(number) for number in range(first, min(first + wave, count))))


async def churn(gang: Gang, number: int) -> None:
    """Come and go: without a word, in the middle of a request, after the handshake, with and without goodbye."""
    line = await gang.dial()
    way = number % 5
    if way == 1:
        await line.say(upgrade()[:60])
    elif way >= 2:
        await line.say(upgrade())
        await line.listen(b"\r\n\r\n")
    if way == 3:
        await line.say(frame(CLOSE, (1000).to_bytes(2, "big")))
        await line.listen()
    line.hang_up(by_reset=way == 4)


FLOODS: Final[tuple[tuple[str, bytes], ...]] = (
    ("messages", frame(TEXT, b"ping") * 1000),
    ("nonsense", frame(TEXT, b"{" * 200) * 300),
    ("pings", frame(PING, b"x" * 100) * 1000),
    ("pongs", frame(PONG, b"") * 1000),
    (
        "subscriptions",
        b"".join(
            frame(TEXT, b'{"action":"%b","types":["order"]}' % action)
            for action in (b"subscribe", b"unsubscribe") * 500
        ),
    ),
)

BROKEN: Final[tuple[tuple[str, bytes, int], ...]] = (
    ("oversize", frame(TEXT, b"x" * 65_537), 1009),
    ("a giant announced", frame(TEXT, b"x", size=1 << 40), 1009),
    ("the largest number announced", frame(TEXT, b"x", size=(1 << 64) - 1), 1009),
    ("fragments", frame(TEXT, b"x" * 1000, is_final=False) + frame(MORE, b"x" * 1000, is_final=False) * 70, 1009),
    ("empty fragments", frame(TEXT, b"", is_final=False) + frame(MORE, b"", is_final=False) * 50_000, 1009),
    ("binary", frame(BINARY, b"x"), 1003),
    ("unmasked", b"\x81\x04ping", 1002),
    ("compressed without agreement", bytes((0xC1, 0x80)) + bytes(4), 1002),
    ("reserved bits", bytes((0xB1, 0x80)) + bytes(4), 1002),
    ("unknown kind", frame(0x3, b""), 1002),
    ("a continuation of nothing", frame(MORE, b"x"), 1002),
    ("a long ping", bytes((0x89, 0xFE, 0, 200)) + bytes(204), 1002),
    ("a close of one byte", frame(CLOSE, b"x"), 1002),
    ("no UTF-8", frame(TEXT, b"\xff\xfe"), 1007),
)


async def siege(port: int, seconds: float) -> int:
    """Attack in every way for some seconds, 100 connections a second one by one; returns how many were made."""
    gang, loop, attacks = Gang(port, addresses=8), asyncio.get_running_loop(), set()
    ways = itertools.cycle([data for _, data in FLOODS] + [data for _, data, _ in BROKEN])
    began = loop.time()
    for number in range(int(seconds * 100)):
        work = churn(gang, number) if number % 3 else gang.converse(next(ways))
        task = loop.create_task(work)
        attacks.add(task)
        task.add_done_callback(attacks.discard)
        gang.heard.clear()
        await asyncio.sleep(began + number / 100 - loop.time())
    await asyncio.gather(*attacks)
    return number + 1


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[3])})
    print("begun", flush=True)
    print(asyncio.run(siege(int(sys.argv[1]), float(sys.argv[2]))), flush=True)
