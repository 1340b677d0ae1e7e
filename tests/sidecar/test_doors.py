"""Connections before and below HTTP, over raw sockets: places, time to say something, frames, what is logged."""

import asyncio
import logging
import socket

import pytest
from sidecar.helpers import DEADLINE_S, TOKEN, RawClient, World, eventually, masked

from coindcx_feed.sidecar.doors import _most_files
from coindcx_feed.sidecar.limits import Limits

TEXT, MORE, CLOSE, PONG = 0x1, 0x0, 0x8, 0xA


async def connected(world: World) -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", world.sidecar.port))
    return sock


async def all_of(sock: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    heard, loop = b"", asyncio.get_running_loop()
    try:
        while data := await asyncio.wait_for(loop.sock_recv(sock, 65_536), DEADLINE_S):
            heard += data
    except ConnectionError:
        pass
    sock.close()
    return heard


async def test_T12_an_address_has_so_many_connections() -> None:
    """One more gets 429 without a byte of it being read; when one closes there is room again."""
    async with World(limits=Limits(connections_per_ip=3)) as world:
        socks = [await connected(world) for _ in range(3)]
        await eventually(lambda: world.sidecar.connections == 3)
        answer = await all_of(await connected(world))
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b'{"error": "expected at most 3 connections of one address, was more: close some"}' in answer
        assert world.sidecar.refusals == {"connections": 1}
        socks.pop().close()
        await eventually(lambda: world.sidecar.connections == 2)
        async with world.connect() as client:
            assert client.greeting
        for sock in socks:
            sock.close()
        await world.http.close()
        await eventually(lambda: world.sidecar.connections == 0)


async def test_T12_all_addresses_together_have_so_many() -> None:
    """Descriptors are left for the log and the exchange."""
    async with World(limits=Limits(clients=1, spare_connections=1)) as world:
        socks = [await connected(world) for _ in range(2)]
        await eventually(lambda: world.sidecar.connections == 2)
        assert (await all_of(await connected(world))).startswith(b"HTTP/1.1 503 ")
        for sock in socks:
            sock.close()
    assert _most_files() > 0


async def test_F15_handshakes_are_counted_per_minute() -> None:
    """The one too many is told when to come back; plain requests are none."""
    async with World(limits=Limits(handshakes_per_minute=2)) as world:
        for _ in range(2):
            async with world.connect() as client:
                assert client.greeting
        status, message = await world.refusal()
        assert (status, message) == (429, "expected at most 2 handshakes a minute, was more: wait")
        async with world.http.get(world.status_url) as answer:
            assert answer.status == 200


async def test_T12_who_insists_on_handshakes_gets_no_connection() -> None:
    """After being told so often enough, also not for plain requests; who is connected stays."""
    async with World(limits=Limits(handshakes_per_minute=1, refusals_per_minute=3)) as world, world.connect() as client:
        assert [(await world.refusal())[0] for _ in range(3)] == [429] * 3
        assert await all_of(await connected(world)) == b""
        assert world.sidecar.refusals == {"handshakes": 3, "insisting": 1}
        world.publish()
        assert (await client.next())["type"] == "order"


async def test_T12_a_handshake_too_many_is_refused_before_it_is_read() -> None:
    """Also one in pieces, and one behind another request of the same connection."""
    async with World(limits=Limits(handshakes_per_minute=1)) as world, world.connect():
        request = b"GET /api/v1/ws/coindcx HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        rest = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        loop = asyncio.get_running_loop()
        for first, then in ((request + rest, b""), (request[:10], request[10:] + rest)):
            sock = await connected(world)
            await loop.sock_sendall(sock, first)
            if then:
                await eventually(lambda: world.sidecar.connections >= 2)
                await loop.sock_sendall(sock, then)
            heard = await all_of(sock)
            assert heard.startswith(b"HTTP/1.1 429 ")
            assert b"expected at most 1 handshakes a minute, was more: wait" in heard
        assert world.sidecar.refusals == {"handshakes": 2}


async def test_T12_sockets_through_a_proxy_count_by_their_own_address() -> None:
    """The proxy's own connections are not bounded by its address."""
    limits = Limits(connections_per_ip=1, handshakes_per_minute=100)
    async with World(token=TOKEN, limits=limits, sidecar_trusted_proxies=("127.0.0.0/8",)) as world:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        one, other = ({"X-Forwarded-For": ip, **bearer} for ip in ("1.2.3.4", "1.2.3.5"))
        async with world.connect(headers=one), world.connect(headers=other):
            assert (await world.refusal(**one))[0] == 429
        await eventually(lambda: world.sidecar.clients == 0)
        async with world.connect(headers=one) as client:
            assert (await client.next())["type"] == "system"


@pytest.mark.parametrize("words", [b"", b"GET /api/v1/ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "])
async def test_T12_a_request_that_never_ends_is_cut_off(words: bytes) -> None:
    """Silence, or one byte now and then: the time counts from the beginning."""
    async with World(limits=Limits(request_s=0.3)) as world:
        sock = await connected(world)
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        await loop.sock_sendall(sock, words)
        dripping = asyncio.create_task(_drip(sock)) if words else None
        assert await all_of(sock) == b""
        assert loop.time() - began < DEADLINE_S / 2
        if dripping is not None:
            await dripping
        await eventually(lambda: world.sidecar.connections == 0)


async def _drip(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    try:
        while True:
            await loop.sock_sendall(sock, b"a")
            await asyncio.sleep(0.05)
    except OSError:
        return


async def test_T12_a_body_that_never_comes_is_not_waited_for() -> None:
    """The answer is given at once, the connection ends after the grace time."""
    async with World(limits=Limits(grace_s=0.2)) as world:
        sock = await connected(world)
        head = b"POST /api/v1/ws/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n{"
        await asyncio.get_running_loop().sock_sendall(sock, head)
        assert (await all_of(sock)).startswith(b"HTTP/1.1 200 ")


async def test_an_open_socket_has_no_life_time(world: World) -> None:
    """The time for a request is not the time for a conversation."""
    async with World(limits=Limits(request_s=0.1)) as brief, brief.connect() as client:
        await asyncio.sleep(0.4)
        brief.publish()
        assert (await client.next())["seq"] == 1


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x81\x04ping", 1002),
        (masked(TEXT, b"", is_final=False) + masked(MORE, b"", is_final=False) * 200, 1009),
        (masked(PONG, b"") * 30, 4002),
        (masked(PONG, b"") * 5000, 4002),
    ],
)
@pytest.mark.parametrize("is_early", [False, True])
async def test_T08_T09_what_aiohttp_lets_pass_ends_here(world: World, frames: bytes, code: int, is_early: bool) -> None:
    """Without a mask, endless empty fragments, floods of pongs: also when they come together with the request."""
    loop = asyncio.get_running_loop()
    if is_early:
        raw = RawClient(await connected(world))
        await loop.sock_sendall(raw.sock, _UPGRADE + frames)
        while b"\r\n\r\n" not in raw.rest:
            raw.rest += await raw.read()
        raw.head, _, raw.rest = raw.rest.partition(b"\r\n\r\n")
    else:
        raw = await RawClient.open(world)
        await raw.frame()
        await raw.send(frames)
    while (frame := await raw.frame())[0] & 0xF != CLOSE:
        pass
    assert int.from_bytes(frame[1][:2], "big") == code
    raw.close()
    await eventually(lambda: world.sidecar.clients == 0 and world.sidecar.refused == 1)


_UPGRADE = (
    b"GET /api/v1/ws/coindcx HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\x00\r\n\r\n" % TOKEN.encode(),
        b"GET /?ticket=%b HTTP/9.9\r\n\r\n" % TOKEN.encode(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03%b" % TOKEN.encode() + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: %b\r\n\r\n" % (TOKEN.encode() * 1000),
        b"GET /%b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % (b"a" * 10_000),
    ],
)
async def test_T15_T16_a_malformed_request_is_one_line_without_its_bytes(
    world: World, caplog: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    """The library would log them with a traceback."""
    caplog.set_level(logging.DEBUG)
    sock = await connected(world)
    await asyncio.get_running_loop().sock_sendall(sock, request_bytes)
    answer = await all_of(sock)
    assert b" 400 " in answer
    assert b'{"error": "expected HTTP, was a request that cannot be read (' in answer
    assert TOKEN.encode() not in answer
    assert world.sidecar.refusals == {"http": 1}
    lines = [record for record in caplog.records if record.name != "asyncio"]
    assert [record.name for record in lines] == ["coindcx_feed.audit"]
    assert lines[0].getMessage().startswith("kind=http client=127.0.0.1 reason=")
    assert TOKEN not in caplog.text


async def test_T15_T16_an_expectation_is_refused_without_its_bytes(world: World) -> None:
    """The library would repeat it, as plain text, before the guard has judged the request."""
    sock = await connected(world)
    head = f"GET / HTTP/1.1\r\nHost: evil.example\r\nExpect: {TOKEN}\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(sock, head.encode())
    answer = await all_of(sock)
    assert answer.startswith(b"HTTP/1.1 417 ")
    assert b'{"error": "expected a request without Expect' in answer
    assert TOKEN.encode() not in answer
    assert world.sidecar.refusals == {"http": 1}


async def test_T16_a_handler_that_fails_tells_the_log_and_not_the_client(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """500 and one line; the cause stands in the log."""
    del world.status["connected"]
    async with world.http.get(world.status_url) as answer:
        assert answer.status == 500
        assert list(await answer.json()) == ["error"]
    assert "request failed client=127.0.0.1" in caplog.text
    assert "KeyError: 'connected'" in caplog.text
