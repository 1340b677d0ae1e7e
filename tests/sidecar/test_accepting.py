"""Accepting on a thread of its own, over real sockets."""

import asyncio
import logging
import resource
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sidecar.helpers import DEADLINE_S, World, eventually

from coindcx_feed.sidecar.accepting import Acceptor


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(b"welcome")
        transport.close()


@asynccontextmanager
async def accepting(
    admits: Callable[[object], bool] = lambda _: True, sockets: list[socket.socket] | None = None
) -> AsyncIterator[Acceptor]:
    acceptor = Acceptor(sockets or [socket.create_server(("127.0.0.1", 0))], admits, Greeter)
    acceptor.start()
    try:
        yield acceptor
    finally:
        acceptor.close()


async def heard(port: int, host: str = "127.0.0.1") -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        return await asyncio.wait_for(reader.read(), DEADLINE_S)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_T12_who_is_not_let_in_never_reaches_the_loop() -> None:
    """The question is asked on the thread, with the peer's address."""
    asked: list[tuple[object, str]] = []

    def admits(peer: object) -> bool:
        asked.append((peer, threading.current_thread().name))
        return len(asked) > 1

    async with accepting(admits) as acceptor:
        assert [await heard(acceptor.port) for _ in range(2)] == [b"", b"welcome"]
    assert {name for _, name in asked} == {"sidecar-accept"}
    assert all(isinstance(peer, tuple) and peer[0] == "127.0.0.1" for peer, _ in asked)


async def test_a_failure_ends_one_connection_not_the_accepting(caplog: pytest.LogCaptureFixture) -> None:
    """A defect of ours must not leave the port deaf."""
    answers = iter([True])
    async with accepting(lambda _: next(answers)) as acceptor:
        assert await heard(acceptor.port) == b"welcome"
        assert await heard(acceptor.port) == b""
        answers = iter([True])
        assert await heard(acceptor.port) == b"welcome"
    assert "accepting failed" in caplog.text


async def test_every_address_of_a_name_is_answered() -> None:
    """A name may mean an address of each family."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    first = socket.create_server(("127.0.0.1", 0))
    port = first.getsockname()[1]
    second = socket.create_server(("::1", port), family=socket.AF_INET6)
    async with accepting(sockets=[first, second]) as acceptor:
        assert [await heard(acceptor.port, host) for host in ("127.0.0.1", "::1")] == [b"welcome"] * 2


async def test_closing_frees_the_port_and_ends_the_thread() -> None:
    """At once, also while nobody comes."""
    async with accepting() as acceptor:
        port = acceptor.port
    assert "sidecar-accept" not in {thread.name for thread in threading.enumerate()}
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_without_descriptors_connections_wait(caplog: pytest.LogCaptureFixture) -> None:
    """One line says so, and who waits gets in when there is room again."""
    caplog.set_level(logging.ERROR)
    async with accepting() as acceptor:
        waiting = socket.socket()
        waiting.setblocking(False)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.socket() as last:
            lowest_free = last.fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(waiting, ("127.0.0.1", acceptor.port))
            await eventually(lambda: "connections wait reason=EMFILE" in caplog.text)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert await asyncio.wait_for(loop.sock_recv(waiting, 100), DEADLINE_S) == b"welcome"
        waiting.close()


async def test_a_connection_that_is_gone_already_harms_nobody() -> None:
    """Reset between the system's handshake and ours."""
    async with World() as world:
        for _ in range(50):
            socket.create_connection(("127.0.0.1", world.sidecar.port)).close()
        async with world.connect() as client:
            assert client.greeting
        await eventually(lambda: world.sidecar.connections <= 1)
