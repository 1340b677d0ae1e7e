"""The server on real sockets: handshake figures, address, lifecycle and the hooks other rooms' tests use."""

import asyncio
import functools
import time

import aiohttp
import msgspec
import pytest
from simulator.helpers import RawSocket, Recorder, eventually

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import codec, wire
from coindcx_feed.simulator.behaviour import Behaviour, instant
from coindcx_feed.simulator.server import ExchangeServer

TRADES = "B-BTC_USDT@trades-futures"


async def test_open_packet_carries_the_measured_figures(server: ExchangeServer) -> None:
    """Ping times, payload limit and the absence of upgrades are the exchange's."""
    async with RawSocket(server) as raw:
        packet = await raw.text()
        assert packet[0] == "0"
        fields = msgspec.json.decode(packet[1:])
        del fields["sid"]
        assert fields == {"upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 1000000}


async def test_connect_is_acknowledged_after_the_measured_delay() -> None:
    """The reply to ``40`` comes about 265 ms later and carries a sid."""
    async with ExchangeServer(port=0) as server, RawSocket(server) as raw:
        await raw.text()
        start = time.monotonic()
        await raw.ws.send_str("40")
        reply = await raw.text()
        assert reply.startswith('40{"sid":')
        assert time.monotonic() - start >= 0.26


async def test_compression_is_not_negotiated(server: ExchangeServer) -> None:
    """A client that offers permessage-deflate gets none."""
    async with RawSocket(server) as raw:
        assert raw.ws.compress == 0


async def test_http_polling_is_refused(server: ExchangeServer) -> None:
    """Only the websocket transport exists."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}/socket.io/?EIO=4&transport=polling") as reply,
    ):
        assert reply.status == 400


async def test_envelope_is_doubly_encoded(server: ExchangeServer, recorder: Recorder) -> None:
    """An event has one object argument whose ``data`` is JSON text."""
    await recorder.join(server, TRADES)
    assert await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT", "p": "1"}) == 1
    await eventually(lambda: bool(recorder.frames))
    assert recorder.frames == [
        (wire.TRADE_EVENT, {"event": wire.TRADE_EVENT, "data": '{"s":"B-BTC_USDT","p":"1"}'}),
    ]


async def test_ready_text_is_sent_untouched_even_if_it_is_no_json(server: ExchangeServer, recorder: Recorder) -> None:
    """``emit`` with text is the hook for malformed data."""
    await recorder.join(server, TRADES)
    await server.emit(wire.TRADE_EVENT, '{"s":', channel=TRADES)
    await eventually(lambda: bool(recorder.frames))
    assert recorder.frames[0][1]["data"] == '{"s":'


async def test_raw_packet_reaches_every_socket(server: ExchangeServer, recorder: Recorder) -> None:
    """A packet that is no JSON arrives as the codec's event for malformed frames, joined or not."""
    assert await server.emit_raw('2["new-trade",{') == 1
    await eventually(lambda: bool(recorder.frames))
    assert recorder.frames == [(codec.MALFORMED, '["new-trade",{')]


async def test_burst_keeps_its_order(server: ExchangeServer, recorder: Recorder) -> None:
    """Frames arrive in the order of their emits."""
    await recorder.join(server, wire.CURRENT_PRICES_CHANNEL)
    for number in range(500):
        await server.emit(wire.PRICES_UPDATE_EVENT, {"vs": number})
    await eventually(lambda: len(recorder.frames) == 500)
    assert [data["vs"] for data in recorder.events()] == list(range(500))


async def test_muted_server_keeps_sockets_but_sends_nothing(server: ExchangeServer, recorder: Recorder) -> None:
    """Silence without a close, and frames again afterwards."""
    await recorder.join(server, TRADES)
    server.muted = True
    assert server.muted
    assert await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT"}) == 0
    server.muted = False
    assert await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT", "p": "2"}) == 1
    await eventually(lambda: bool(recorder.frames))
    assert [data.get("p") for data in recorder.events()] == ["2"]


async def test_kick_sends_packet_41_and_closes_without_status(server: ExchangeServer) -> None:
    """The forced disconnect: ``41``, then a close that reads as 1005."""
    async with RawSocket(server) as raw:
        await raw.open()
        await eventually(lambda: server.connections == 1)
        assert await server.kick() == 1
        assert await raw.text() == "41"
        message = await raw.ws.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data in (None, 0, 1005)
        await eventually(lambda: server.connections == 0)


async def test_kick_private_only_spares_the_others(server: ExchangeServer, recorder: Recorder) -> None:
    """Only the socket with the private join is disconnected."""
    async with Recorder() as other:
        await other.connect(server)
        await other.join_private(server)
        await recorder.join(server, TRADES)
        assert await server.kick(private_only=True) == 1
        await eventually(lambda: other.reasons == ["server disconnect"])
        assert server.connections == 1
        assert recorder.reasons == []


async def test_F01_engine_level_close_ends_the_socket_too(server: ExchangeServer) -> None:
    """Engine.IO's close packet instead of ``41``, then the same close frame; both kinds are noted."""
    async with RawSocket(server) as raw:
        await raw.open()
        await eventually(lambda: server.connections == 1)
        assert await server.kick(engine=True) == 1
        assert await raw.text() == "1"
        message = await raw.ws.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        await eventually(lambda: server.connections == 0)
    await server.kick()
    assert [(cut.kind, cut.sockets) for cut in server.cuts] == [("engine", 1), ("kick", 0)]


def is_kicked(client: Recorder) -> bool:
    return client.reasons == ["server disconnect"]


async def test_F05_right_credentials_may_be_kicked_after_the_join(server: ExchangeServer) -> None:
    """So many joins as ordered are accepted and then disconnected; the next one stays."""
    server.kick_next_joins(2)
    for _ in range(2):
        async with Recorder() as client:
            await client.connect(server)
            await client.join_private(server)
            assert server.joins[-1].ok
            await eventually(functools.partial(is_kicked, client))
    async with Recorder() as client:
        await client.connect(server)
        await client.join_private(server)
        assert await server.emit(wire.ORDER_EVENT, [{"id": "1"}]) == 1
        await eventually(lambda: bool(client.frames))
        assert client.reasons == []


@pytest.mark.parametrize("kick", [True, False])
async def test_F05_revoked_credentials_open_nothing_any_more(
    server: ExchangeServer, recorder: Recorder, kick: bool
) -> None:
    """Joined sockets are disconnected, or left in place; a new join is refused like one with a wrong key."""
    await recorder.join_private(server)
    assert await server.revoke(kick) == int(kick)
    assert server.connections == int(not kick)
    async with Recorder() as other:
        await other.connect(server)
        await other.join_private(server)
        assert not server.joins[-1].ok
        await eventually(lambda: other.reasons == ["server disconnect"])
    server.behaviour.is_revoked = False
    async with Recorder() as other:
        await other.connect(server)
        await other.join_private(server)
        assert server.joins[-1].ok


async def test_ordered_faults_and_the_list_of_emissions(server: ExchangeServer, recorder: Recorder) -> None:
    """Dropped, repeated, held back: the list says what became of every record."""
    server.behaviour.numbered = True
    await server.emit(wire.ORDER_EVENT, [{"id": "before"}])
    await recorder.join_private(server)
    server.drop_next(event=wire.BALANCE_EVENT)
    server.repeat_next(event=wire.ORDER_EVENT)
    for event, name in ((wire.BALANCE_EVENT, "lost"), (wire.ORDER_EVENT, "twice")):
        await server.emit(event, [{"id": name}])
    server.hold()
    for name in ("a", "b"):
        await server.emit(wire.ORDER_EVENT, [{"id": name}])
    assert await server.release("reversed") == 2
    server.muted = True
    await server.emit(wire.ORDER_EVENT, [{"id": "silent"}])
    assert [(row.number, row.id, row.fate) for row in server.emissions] == [
        (1, "before", "nobody"),
        (2, "lost", "dropped"),
        (3, "twice", "delivered"),
        (3, "twice", "delivered"),
        (5, "b", "delivered"),
        (4, "a", "delivered"),
        (6, "silent", "muted"),
    ]
    await eventually(lambda: len(recorder.frames) == 4)
    assert [data[0]["x_number"] for data in recorder.events()] == [3, 3, 5, 4]


async def test_frame_for_a_socket_just_cut_is_not_delivered(server: ExchangeServer, recorder: Recorder) -> None:
    """Although its end was not noticed yet."""
    server.behaviour.listed = True
    await recorder.join_private(server)
    await server.abort()
    await server.emit(wire.ORDER_EVENT, [{"id": "1"}])
    assert [row.fate for row in server.emissions] == ["nobody"]


async def test_abort_cuts_the_connection_without_a_close_frame(server: ExchangeServer, recorder: Recorder) -> None:
    """The client sees the transport die."""
    assert await server.abort() == 1
    await eventually(lambda: bool(recorder.reasons))
    assert recorder.reasons[0] != "server disconnect"
    await eventually(lambda: server.connections == 0)


async def test_stop_frees_the_port_and_closes_sockets() -> None:
    """The port can be bound again at once, and a second stop does nothing."""
    first = ExchangeServer(port=0, behaviour=instant())
    await first.stop()
    await first.start()
    async with Recorder() as client:
        await client.connect(first)
        await first.stop()
        await first.stop()
        await eventually(lambda: bool(client.reasons))
    async with ExchangeServer(port=first.port, behaviour=instant()) as second:
        assert second.port == first.port


async def test_busy_port_is_one_clear_line(server: ExchangeServer) -> None:
    """The message names the address and what to do."""
    with pytest.raises(ConfigError, match="in use by another program") as caught:
        await ExchangeServer(port=server.port).start()
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert "COINDCX_SIMULATOR_PORT" in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_impossible_port_is_refused() -> None:
    """A number outside the range of ports ends the start with a message."""
    with pytest.raises(ConfigError, match="expected a free one"):
        await ExchangeServer(port=70_000).start()


def test_network_address_is_refused() -> None:
    """The simulator never listens outside this machine."""
    with pytest.raises(ConfigError, match="loopback"):
        ExchangeServer(host="0.0.0.0")


async def test_failing_background_task_leaves_the_sockets_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A task that raises is logged; the server goes on."""

    async def fail(_server: ExchangeServer) -> None:
        raise RuntimeError("broken on purpose")

    async with ExchangeServer(port=0, behaviour=instant(), background=[fail]) as server, Recorder() as client:
        await client.connect(server)
        await eventually(lambda: "simulator task failed" in caplog.text)
        assert server.connections == 1


async def test_missed_pong_closes_the_socket() -> None:
    """A client that never answers a ping is closed after the timeout."""
    behaviour = Behaviour(connect_ack_s=0, ping_interval_s=0.05, ping_timeout_s=0.1)
    async with ExchangeServer(port=0, behaviour=behaviour) as server, RawSocket(server) as raw:
        await raw.open()
        assert await raw.text() == "2"
        async with asyncio.timeout(5):
            while (await raw.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
