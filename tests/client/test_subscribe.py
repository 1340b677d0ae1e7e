"""The iterator against a real sidecar: events, resume across restarts, errors that end it."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from aiohttp import web
from sidecar.helpers import DEADLINE_S, EPOCH, TOKEN, World, eventually

from coindcx_feed.client import Envelope, events
from coindcx_feed.errors import BadRequest, ClientError, ConfigError, NotAuthorized
from coindcx_feed.sidecar.limits import Limits


async def take(count: int, url: str, **options: Any) -> list[Envelope]:
    """Read so many messages, within the deadline."""

    async def read() -> list[Envelope]:
        taken = []
        async with aclosing(events(url, **options)) as stream:
            async for envelope in stream:
                taken.append(envelope)
                if len(taken) == count:
                    break
        return taken

    return await asyncio.wait_for(read(), DEADLINE_S)


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server that is no sidecar."""
    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_events_with_bytes_epoch_and_mode(world: World) -> None:
    """The decoded message and the bytes it came in; no greeting among them."""
    world.publish(count=5)
    taken = await take(5, f"ws://127.0.0.1:{world.sidecar.port}", since="earliest")
    assert [envelope["seq"] for envelope in taken] == [1, 2, 3, 4, 5]
    assert [envelope.raw for envelope in taken] == world.ring.bodies_since(0, 10)
    assert {(envelope.epoch, envelope.mode) for envelope in taken} == {(EPOCH, "demo")}


async def test_money_is_never_a_binary_float(world: World) -> None:
    """A number with a point is a Decimal with the exchange's digits."""
    raw = b'{"type":"balance","seq":1,"data":{"balance":1650841.59606695345873,"n":2}}'
    envelope = Envelope(raw)
    assert envelope["data"] == {"balance": Decimal("1650841.59606695345873"), "n": 2}


async def test_filters_are_passed_on(world: World) -> None:
    """Names of types and pairs, from any iterable."""
    url = f"ws://127.0.0.1:{world.sidecar.port}/api/v1/ws/coindcx"
    for kind, pair in [("order", "B-BTC_USDT"), ("order", "B-ETH_USDT"), ("balance", "USDT"), ("system", None)]:
        world.publish(kind, pair)
    taken = await take(2, url, since="earliest", types=iter(["order", "system"]), pairs=("B-ETH_USDT",))
    assert [envelope["seq"] for envelope in taken] == [2, 4]
    taken = await take(2, url, since="earliest", types="order,system", pairs="B-ETH_USDT")
    assert [envelope["seq"] for envelope in taken] == [2, 4]
    taken = await take(1, f"ws://127.0.0.1:{world.sidecar.port}?types=balance&pairs=B-BTC_USDT", since="earliest")
    assert [envelope["seq"] for envelope in taken] == [3]


async def test_C4_a_break_right_behind_the_greeting_asks_for_the_same_again(quick: None) -> None:
    """The server had no time to say that the place means nothing to it; with its own epoch it would skip events."""
    asked: list[str] = []
    data = {"message": "Connected to CoinDCX WebSocket bridge", "mode": "demo", "epoch": "new", "seq": 9}

    async def greeting(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        asked.append(request.query_string)
        message = {"type": "system", "timestamp": "2026-01-01T00:00:00.000Z", "data": data}
        await ws.send_str(msgspec.json.encode(message).decode())
        await ws.close(code=4500 if len(asked) == 3 else 1001)
        return ws

    async with serving(greeting) as url:
        with pytest.raises(NotAuthorized):
            await take(1, url, since=5, epoch="old")
    assert asked == ["since=5&epoch=old"] * 3


async def test_market_messages_arrive_without_seq(world: World) -> None:
    """They do not move the position."""
    reading = asyncio.create_task(take(2, world.url(), types=["trade", "order"]))
    await eventually(lambda: world.sidecar.clients == 1)
    world.publish_market()
    world.publish()
    taken = await reading
    assert sorted((envelope.get("mseq"), envelope.get("seq")) for envelope in taken if "seq" in envelope) == [(None, 1)]
    assert [envelope["mseq"] for envelope in taken if "seq" not in envelope] == [1]


async def test_F27_a_restarted_sidecar_is_resumed_without_a_hole(world: World, quick: None) -> None:
    """Shut down with 1001 in the middle; what was published meanwhile arrives afterwards."""
    reading = asyncio.create_task(take(30, world.url()))
    await eventually(lambda: world.sidecar.clients == 1)
    world.publish(count=10)
    await eventually(lambda: world.sidecar.sent == 10)
    port = world.sidecar.port
    await world.sidecar.stop()
    world.publish(count=10)
    async with World(port=port, ring=world.ring) as again:
        await eventually(lambda: again.sidecar.clients == 1)
        again.publish(count=10)
        assert [envelope["seq"] for envelope in await reading] == list(range(1, 31))


async def test_a_gap_is_yielded_and_then_everything_kept(world: World) -> None:
    """The message of the server as it is."""
    world.publish(count=1500)
    taken = await take(3, world.url(), since=100, epoch=EPOCH)
    assert taken[0]["type"] == "system"
    assert (taken[0]["data"]["missed_from"], taken[0]["data"]["missed_to"]) == (101, 500)
    assert [envelope["seq"] for envelope in taken[1:]] == [501, 502]


async def test_a_slow_reader_comes_back_and_misses_nothing(quick: None) -> None:
    """Closed with 4001 while the caller was busy; the ring still has it all."""
    async with World(capacity=30_000, limits=Limits(behind_s=0.1, grace_s=0.1)) as world:
        seqs: list[int] = []
        async with aclosing(events(world.url(), since="earliest")) as stream:
            world.publish(count=20)
            async for envelope in stream:
                seqs.append(envelope["seq"])
                if len(seqs) == 10:
                    world.publish(count=15_000, padding=1000)
                    await eventually(lambda: world.sidecar.slow == 1)
                if len(seqs) == 15_020:
                    break
        assert seqs == list(range(1, 15_021))
        assert world.sidecar.slow >= 1


async def test_it_waits_for_a_server_that_is_not_there_yet(quick: None, caplog: pytest.LogCaptureFixture) -> None:
    """One warning per try, with the address and the delay."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    reading = asyncio.create_task(take(1, f"ws://127.0.0.1:{port}", since="earliest"))
    await eventually(lambda: "not connected address=ws://127.0.0.1" in caplog.text)
    async with World(port=port) as world:
        world.publish()
        assert (await reading)[0]["seq"] == 1


async def test_F02_delays_double_up_to_thirty_seconds(quick: None, caplog: pytest.LogCaptureFixture) -> None:
    """The log tells each delay; jitter takes away at most half."""
    caplog.set_level(logging.WARNING, "coindcx_feed.client")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(take(1, "ws://127.0.0.1:9"), 0.6)
    delays = [record.args[2] for record in caplog.records if isinstance(record.args, tuple)]
    assert len(delays) >= 3
    for number, delay in enumerate(delays):
        longest = min(0.02 * 2**number, 30)
        assert isinstance(delay, float)
        assert longest / 2 <= delay <= longest


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"types": ["orders"]}, BadRequest, "types: expected some of order, position"),
        ({"pairs": ["BTCUSDT"]}, BadRequest, "pairs: expected pairs like B-BTC_USDT"),
        ({"since": 5}, BadRequest, "since: expected epoch"),
    ],
)
async def test_a_refused_query_ends_with_the_servers_line(
    world: World, options: dict[str, Any], error: type[ClientError], message: str
) -> None:
    """Asking again would not help."""
    with pytest.raises(error, match=f"^{message}"):
        await take(1, world.url(), **options)


async def test_T02_a_token_is_sent_and_needed() -> None:
    """Without, and with a wrong one, it ends at once; with the right one it works."""
    async with World(token=TOKEN) as world:
        world.publish()
        with pytest.raises(NotAuthorized, match="4500 unauthorised"):
            await asyncio.wait_for(take(1, world.url()), 2.0)
        with pytest.raises(NotAuthorized, match="expected the configured token, was another"):
            await take(1, world.url(), token="wrong")
        assert len(await take(1, world.url(), token=TOKEN, since="earliest")) == 1


async def test_T03_a_sidecar_on_every_interface_is_found_by_its_own_settings() -> None:
    """``tail`` named the wildcard, which no Host may be, and was refused."""
    async with World(sidecar_host="0.0.0.0", token=TOKEN) as world:
        world.publish()
        url = world.settings.sidecar_url(world.sidecar.port)
        assert len(await take(1, url, since="earliest", token=TOKEN)) == 1


async def test_full_servers_are_asked_again(quick: None, caplog: pytest.LogCaptureFixture) -> None:
    """503 is not for good."""
    async with World(limits=Limits(clients=1)) as world:
        world.publish()
        async with world.connect():
            reading = asyncio.create_task(take(1, world.url(), since="earliest"))
            await eventually(lambda: "expected a free place, was none" in caplog.text)
        assert len(await reading) == 1


async def test_T08_too_many_handshakes_are_waited_out(quick: None, caplog: pytest.LogCaptureFixture) -> None:
    """429 is not for good, and the server says for how long."""
    asked: list[float] = []

    async def busy(_: web.Request) -> web.Response:
        asked.append(asyncio.get_running_loop().time())
        return web.json_response({"error": "too many"}, status=429, headers={"Retry-After": "1"})

    async with serving(busy) as url:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(take(1, url), 1.6)
    assert len(asked) == 4  # two tries, each asked again for the reason
    assert "problem='too many' retry_s=1.0" in caplog.text


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "http://127.0.0.1:8000", "ws://", "ws://[", "ws://a:b"])
async def test_another_kind_of_address_is_refused(url: str) -> None:
    """Before anything is sent; the address is not repeated, it may hold a password."""
    with pytest.raises(ConfigError, match=r"^expected an address like ws://127\.0\.0\.1:8000, was another text"):
        await take(1, url)


@pytest.mark.parametrize("rest", ["user:secret@127.0.0.1:9", "127.0.0.1:9/?token=secret", "127.0.0.1:9/?since=5"])
async def test_T16_an_address_holds_a_place_and_filters_only(rest: str, caplog: pytest.LogCaptureFixture) -> None:
    """A secret would stand in logs on both sides, a position would be asked for again after every break."""
    with pytest.raises(ConfigError, match=r"^expected an address with nothing but pairs, ") as caught:
        await take(1, f"ws://{rest}")
    assert "secret" not in str(caught.value) + caplog.text


async def test_a_wrong_path_ends_with_the_servers_line(world: World) -> None:
    """404 is for good."""
    with pytest.raises(ClientError, match="expected /api/v1/ws/coindcx"):
        await take(1, world.url(path="/socket"))


async def test_a_server_that_is_no_sidecar_is_named() -> None:
    """Whether it speaks HTTP only, another WebSocket dialect or no JSON."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(status=404, text="<html>")

    async def dialect(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str(request.query.get("types", "") or '{"type":"hello"}')
        await ws.receive()
        return ws

    async with serving(page) as url:
        with pytest.raises(ClientError, match=r"^expected a WebSocket at 127\.0\.0\.1:\d+, was HTTP 404$"):
            await take(1, url)
    async with serving(dialect) as url:
        with pytest.raises(ClientError, match=r"^expected the greeting of a CoinDCX sidecar"):
            await take(1, url)
        with pytest.raises(ClientError, match=r"^expected JSON messages of a CoinDCX sidecar"):
            await take(1, url, types=["nonsense"])


@pytest.mark.parametrize("code", [4500, 4501, 4502, 4999])
async def test_codes_above_4500_end_it(code: int) -> None:
    """Also when they come in the middle."""

    async def closing(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        data = {"message": "Connected to CoinDCX WebSocket bridge", "mode": "demo", "epoch": "E", "seq": 0}
        message = {"type": "system", "timestamp": "2026-01-01T00:00:00.000Z", "data": data}
        await ws.send_str(msgspec.json.encode(message).decode())
        await ws.send_str('{"type":"error","data":{"message":"no"}}')
        await ws.close(code=code, message=b"why\x1b[31m")
        return ws

    async with serving(closing) as url:
        with pytest.raises(ClientError, match=rf"^closed with {code} why \[31m$"):
            await take(1, url)


async def test_T16_the_token_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Not in warnings, not in errors."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(take(1, "ws://127.0.0.1:9", token=TOKEN), 0.2)
    async with World(token=TOKEN + "x") as world:
        with pytest.raises(NotAuthorized) as caught:
            await take(1, world.url(), token=TOKEN)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in caplog.text
