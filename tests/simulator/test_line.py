"""Freezing, missing pings and unread pongs, on real sockets."""

import asyncio
import gc
import time
import weakref

import aiohttp
import pytest
from simulator.helpers import RawSocket, Recorder, eventually

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour, instant
from coindcx_feed.simulator.server import ExchangeServer

PRICES = wire.CURRENT_PRICES_CHANNEL


def quick(**changes: object) -> Behaviour:
    """No connection delays, and a ping every second, the shortest interval the library can announce."""
    behaviour = Behaviour(connect_ack_s=0, refuse_join_s=0, ping_interval_s=1, ping_timeout_s=0.5)
    for name, value in changes.items():
        setattr(behaviour, name, value)
    return behaviour


async def test_client_without_pings_ends_the_socket_itself() -> None:
    """The server goes on sending frames and never closes; the client gives up after interval and timeout."""
    async with ExchangeServer(port=0, behaviour=quick(sends_pings=False)) as server, Recorder() as client:
        await client.connect(server)
        start_s = time.monotonic()
        await eventually(lambda: bool(client.reasons))
        assert client.reasons == ["transport error"]
        assert time.monotonic() - start_s >= 1.5


async def test_frames_go_on_without_pings() -> None:
    """For as long as a patient client listens; pings come again when they are switched on."""
    behaviour = quick(sends_pings=False)
    async with ExchangeServer(port=0, behaviour=behaviour) as server, RawSocket(server) as raw:
        await raw.open()
        await raw.ws.send_str(f'42["join",{{"channelName":"{PRICES}"}}]')
        await eventually(lambda: server.hub.joined(PRICES) == 1)
        end_s = time.monotonic() + 1.9
        while time.monotonic() < end_s:
            await server.emit(wire.PRICES_UPDATE_EVENT, {"prices": {}})
            assert (await raw.text()).startswith("42")
            await asyncio.sleep(0.1)
        behaviour.sends_pings = True
        assert await raw.text() == "2"


async def test_unread_pongs_end_the_socket() -> None:
    """The client answers every ping and is closed all the same."""
    async with ExchangeServer(port=0, behaviour=quick(reads_pongs=False)) as server, Recorder() as client:
        await client.connect(server)
        await eventually(lambda: bool(client.reasons))
        await eventually(lambda: server.connections == 0)


async def test_answered_pings_keep_the_socket() -> None:
    """The same figures without a fault: an interval and a timeout later it is still there."""
    async with ExchangeServer(port=0, behaviour=quick()) as server, Recorder() as client:
        await client.connect(server)
        start_s = time.monotonic()
        await eventually(lambda: time.monotonic() - start_s > 1.9)
        assert client.reasons == []
        assert server.connections == 1


async def test_F03_frozen_exchange_says_nothing_and_closes_nothing(server: ExchangeServer, recorder: Recorder) -> None:
    """Frames of that time are lost; what comes after the thaw arrives."""
    await recorder.join(server, PRICES)
    server.freeze()
    assert await server.emit(wire.PRICES_UPDATE_EVENT, {"vs": 1}) == 0
    await recorder.client.emit("join", {"channelName": "B-BTC_USDT@trades-futures"})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), aiohttp.ClientSession() as session:
            await session.get(f"{server.url}/market_data/candlesticks")
    assert server.connections == 1
    assert len(server.joins) == 1
    server.thaw()
    await eventually(lambda: len(server.joins) == 2)
    assert await server.emit(wire.PRICES_UPDATE_EVENT, {"vs": 2}) == 1
    await eventually(lambda: [data["vs"] for data in recorder.events()] == [2])


async def test_F03_connection_to_a_frozen_exchange_waits_for_the_thaw(server: ExchangeServer) -> None:
    """The TCP connection is accepted, the handshake is not answered."""
    server.freeze()
    async with Recorder() as client:
        attempt = asyncio.create_task(client.connect(server))
        done, _ = await asyncio.wait({attempt}, timeout=0.3)
        assert not done
        server.thaw()
        await attempt
        await eventually(lambda: server.connections == 1)


async def test_F18_short_freeze_is_survived_and_a_long_one_is_not_answered() -> None:
    """Pings that could not leave are forgotten: the server itself never closes; a client does after its own limit."""
    async with ExchangeServer(port=0, behaviour=quick()) as server, Recorder() as client, RawSocket(server) as raw:
        await raw.open()
        await client.connect(server)
        server.freeze()
        await eventually(lambda: bool(client.reasons))
        assert not raw.ws.closed
        server.thaw()
        while (packet := await raw.text()) != "2":
            assert packet
        await raw.ws.send_str("3")
        assert await raw.text() == "2"


async def test_frozen_server_can_be_stopped() -> None:
    """Nothing hangs."""
    async with ExchangeServer(port=0, behaviour=quick()) as server, Recorder() as client:
        await client.connect(server)
        server.freeze()
        start_s = time.monotonic()
    assert time.monotonic() - start_s < 5


@pytest.mark.parametrize("is_engine", [False, True])
async def test_kicked_sockets_leave_no_socket_and_no_task_behind(is_engine: bool) -> None:
    """The ping of each slept on for up to 25 s, and its socket with it."""
    async with ExchangeServer(port=0, behaviour=instant()) as server:
        sockets: list[weakref.ref[object]] = []
        for _ in range(5):
            async with RawSocket(server) as raw:
                await raw.open()
                await eventually(lambda: server.connections == 1)
                sockets += map(weakref.ref, server.hub.sio.eio.sockets.values())
                await server.kick(engine=is_engine)
                await eventually(lambda: server.hub.sio.eio.sockets == {})
        await eventually(lambda: _tasks_of("AsyncSocket") == _tasks_of("Line") == 0)
        gc.collect()
        # The library's round over its sockets still names the one that it looked at last.
        assert sum(ref() is not None for ref in sockets) <= 1


def _tasks_of(owner: str) -> int:
    return sum(str(task.get_coro().__qualname__).startswith(f"{owner}.") for task in asyncio.all_tasks())
