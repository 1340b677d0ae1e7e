"""The fault proxy itself: what it promises to the tests that stand on it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from fakes.proxy import FaultProxy, fault_proxy
from fakes.waiting import DEADLINE_S, eventually

BULK = bytes(range(256)) * 1_024


class Client:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def receive(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), DEADLINE_S)

    async def round_trip_s(self, data: bytes = b"hello") -> float:
        start = time.monotonic()
        self.send(data)
        assert await self.receive(len(data)) == data
        return time.monotonic() - start

    async def is_silent(self) -> bool:
        """Whether nothing arrives for a while, not even an end."""
        try:
            await asyncio.wait_for(self.reader.read(1), 0.2)
        except TimeoutError:
            return True
        return False


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """A proxy before a server that sends everything back."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    try:
        async with fault_proxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as running:
            yield running
    finally:
        server.close()


@contextlib.asynccontextmanager
async def _connected(proxy: FaultProxy) -> AsyncIterator[Client]:
    client = Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
    try:
        yield client
    finally:
        client.writer.close()


async def test_undisturbed_bytes_arrive_as_sent(proxy: FaultProxy) -> None:
    """Both directions, and both are counted."""
    async with _connected(proxy) as client:
        client.send(BULK)
        assert await client.receive(len(BULK)) == BULK
        assert proxy.bytes == {"up": len(BULK), "down": len(BULK)}
        assert (proxy.accepted, proxy.connections) == (1, 1)
    await eventually(lambda: proxy.connections == 0)


async def test_end_of_stream_passes_through(proxy: FaultProxy) -> None:
    """A client that ends its side still gets what the server has to say."""
    async with _connected(proxy) as client:
        client.send(BULK)
        client.writer.write_eof()
        assert await asyncio.wait_for(client.reader.read(), DEADLINE_S) == BULK


async def test_latency_delays_and_can_be_switched_off_again(proxy: FaultProxy) -> None:
    """Each direction has its own; the next chunk feels the change."""
    async with _connected(proxy) as client:
        proxy.up.latency_s = proxy.down.latency_s = 0.15
        assert await client.round_trip_s() >= 0.3
        proxy.up.latency_s = proxy.down.latency_s = 0
        assert min([await client.round_trip_s() for _ in range(5)]) < 0.3


async def test_latency_does_not_reduce_throughput(proxy: FaultProxy) -> None:
    """Twenty messages sent at once are all under way together."""
    async with _connected(proxy) as client:
        proxy.down.latency_s = 0.2
        start = time.monotonic()
        for _ in range(20):
            client.send(b"x" * 1_000)
            await asyncio.sleep(0)
        await client.receive(20_000)
        assert 0.2 <= time.monotonic() - start < 2


async def test_jitter_keeps_the_order(proxy: FaultProxy) -> None:
    """A TCP stream is never reordered, however uneven the delay."""
    async with _connected(proxy) as client:
        proxy.down.jitter_s = 0.05
        sent = b""
        for number in range(30):
            sent += f"{number} ".encode()
            client.send(f"{number} ".encode())
            await asyncio.sleep(0.001)
        assert await client.receive(len(sent)) == sent


async def test_bandwidth_limits_the_rate(proxy: FaultProxy) -> None:
    """5,000 bytes at 20,000 per second take a quarter of a second."""
    proxy.down.bandwidth_bps = 20_000
    async with _connected(proxy) as client:
        assert 0.2 <= await client.round_trip_s(b"x" * 5_000) < 2


async def test_slicer_cuts_into_pieces(proxy: FaultProxy) -> None:
    """A reader sees tiny segments and the same bytes."""
    proxy.down.slice_bytes, proxy.down.slice_pause_s = 2, 0.005
    async with _connected(proxy) as client:
        client.send(b"0123456789")
        pieces = [await asyncio.wait_for(client.reader.read(100), DEADLINE_S)]
        while sum(map(len, pieces)) < 10:
            pieces.append(await asyncio.wait_for(client.reader.read(100), DEADLINE_S))
        assert b"".join(pieces) == b"0123456789"
        assert len(pieces) > 1


async def test_limited_connection_ends_after_exactly_so_many_bytes(proxy: FaultProxy) -> None:
    """A reply is cut in the middle; the next connection has its own count."""
    proxy.down.limit_bytes = 7
    for _ in range(2):
        async with _connected(proxy) as client:
            client.send(b"0123456789")
            assert await asyncio.wait_for(client.reader.read(), DEADLINE_S) == b"0123456"


async def test_cut_ends_both_sides_in_order(proxy: FaultProxy) -> None:
    """FIN: the client reads an end, not an error, and may come back."""
    async with _connected(proxy) as client:
        await client.round_trip_s()
        await proxy.cut()
        assert await asyncio.wait_for(client.reader.read(), DEADLINE_S) == b""
        assert proxy.connections == 0
    async with _connected(proxy) as again:
        await again.round_trip_s()


async def test_reset_is_an_error_for_the_reader(proxy: FaultProxy) -> None:
    """RST: the connection is torn."""
    async with _connected(proxy) as client:
        await client.round_trip_s()
        await proxy.reset()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(client.reader.read(), DEADLINE_S)


async def test_black_hole_tells_nobody_and_loses_nothing(proxy: FaultProxy) -> None:
    """As with a pulled cable: silence, also for new connections, and everything arrives once it is back."""
    async with _connected(proxy) as client:
        await client.round_trip_s()
        proxy.hold()
        client.send(b"late")
        assert await client.is_silent()
        async with _connected(proxy) as other:
            other.send(b"new")
            assert await other.is_silent()
            proxy.heal()
            assert await client.receive(4) == b"late"
            assert await other.receive(3) == b"new"


@pytest.mark.parametrize(("direction", "reached_server"), [("up", 0), ("down", 5)])
async def test_half_open_connection_passes_one_direction_only(
    proxy: FaultProxy, direction: str, reached_server: int
) -> None:
    """The client hears nothing either way; the server hears it when only the way back is mute."""
    async with _connected(proxy) as client:
        proxy.hold("up" if direction == "up" else "down")
        client.send(b"hello")
        assert await client.is_silent()
        assert proxy.bytes["up"] == reached_server
        proxy.heal()
        assert await client.receive(5) == b"hello"


async def test_refused_connections_do_not_disturb_open_ones(proxy: FaultProxy) -> None:
    """The port is closed and opens again as the same port."""
    async with _connected(proxy) as client:
        await client.round_trip_s()
        port = proxy.port
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await client.round_trip_s()
        await proxy.listen()
        assert proxy.port == port
        async with _connected(proxy) as again:
            await again.round_trip_s()


async def test_server_that_is_not_there_ends_the_connection() -> None:
    """A client is accepted and then left alone at once."""
    async with fault_proxy("http://127.0.0.1:9") as proxy, _connected(proxy) as client:
        assert await asyncio.wait_for(client.reader.read(), DEADLINE_S) == b""
