"""Join, leave and their silences, as the wire reference records them."""

import aiohttp
import pytest
from simulator.helpers import RawSocket, Recorder, eventually

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour, instant
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

TRADES = "B-BTC_USDT@trades-futures"


async def probe(server: ExchangeServer, recorder: Recorder) -> None:
    """Join a known channel and wait for its frame: whatever was to come before has come."""
    channel = "B-PROBE_USDT@trades-futures"
    await recorder.join(server, channel)
    await server.emit(wire.TRADE_EVENT, {"s": "B-PROBE_USDT", "probe": 1})
    await eventually(lambda: any(data.get("probe") for data in recorder.events(wire.TRADE_EVENT)))


@pytest.mark.parametrize(
    "name",
    [
        "B-BTC_USDT@trades",
        "B-BTC_USDT@orderbook@30-futures",
        "BTCUSDT@trades-futures",
        "B-BTC_USDT_1m-future",
        "B-BTC_USDT_7m-futures",
        "currentPrices@futures@1s",
        "",
    ],
)
async def test_unknown_channel_is_ignored_in_silence(server: ExchangeServer, recorder: Recorder, name: str) -> None:
    """The join is noted as not ok, nothing is sent, the socket stays open."""
    await recorder.join(server, name)
    assert not server.joins[-1].ok
    await probe(server, recorder)
    assert len(recorder.frames) == 1
    assert recorder.reasons == []


async def test_malformed_joins_and_unknown_events_are_ignored(server: ExchangeServer, recorder: Recorder) -> None:
    """Wrong key, wrong types, missing arguments and foreign event names change nothing."""
    await recorder.client.emit("join", {"channel": TRADES})
    await recorder.client.emit("join", TRADES)
    await recorder.client.emit("join", {"channelName": 7})
    await recorder.client.emit("join")
    await recorder.client.emit("leave")
    await recorder.client.emit("leave", {"channelName": ["x"]})
    await recorder.client.emit("subscribe", {"channelName": TRADES})
    await recorder.client.emit("ping", {"data": "Ping message"})
    await probe(server, recorder)
    assert len(server.joins) == 1
    assert len(recorder.frames) == 1


async def test_join_is_never_acknowledged(server: ExchangeServer) -> None:
    """Not even when the client asks for it."""
    async with RawSocket(server) as raw:
        await raw.open()
        await raw.ws.send_str(f'4217["join",{{"channelName":"{TRADES}"}}]')
        await eventually(lambda: len(server.joins) == 1)
        await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT"})
        assert (await raw.text()).startswith('42["new-trade",')


async def test_pair_outside_the_list_is_ignored() -> None:
    """A server that knows its pairs ignores a well-formed name of another."""
    async with ExchangeServer(port=0, behaviour=instant(), pairs={"B-BTC_USDT"}) as server, Recorder() as client:
        await client.connect(server)
        await client.join(server, TRADES, "B-NOPE_USDT@trades-futures", wire.CURRENT_PRICES_CHANNEL)
        assert [join.ok for join in server.joins] == [True, False, True]


async def test_frames_go_to_the_joined_only(server: ExchangeServer, recorder: Recorder) -> None:
    """Another pair's frame and another kind's frame do not arrive."""
    await recorder.join(server, TRADES)
    assert await server.emit(wire.TRADE_EVENT, {"s": "B-ETH_USDT"}) == 0
    assert await server.emit(wire.PRICE_EVENT, {"p": "1"}) == 0
    assert await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT"}) == 1


async def test_channel_joined_twice_is_one_stream_ended_by_one_leave(
    server: ExchangeServer, recorder: Recorder
) -> None:
    """No doubled frames; a single ``leave`` stops them and is answered by ``Left Channel``."""
    await recorder.join(server, TRADES, TRADES)
    assert await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT"}) == 1
    await recorder.client.emit("leave", {"channelName": TRADES})
    await eventually(lambda: [event for event, _ in recorder.frames] == [wire.TRADE_EVENT, wire.LEFT_EVENT])
    assert await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT"}) == 0


async def test_valid_private_join_is_silent_and_enables_all_private_events(
    server: ExchangeServer, recorder: Recorder
) -> None:
    """No acknowledgement and no snapshot; then orders, positions and balances arrive."""
    await recorder.join_private(server)
    assert server.joins[-1].ok
    for event in wire.ACCOUNT_EVENTS:
        assert await server.emit(event, [{"id": "1"}]) == 1
    await eventually(lambda: len(recorder.frames) == 3)
    assert {event for event, _ in recorder.frames} == wire.ACCOUNT_EVENTS


@pytest.mark.parametrize(("key", "secret"), [(DEMO_KEY, "wrong"), ("wrong", DEMO_SECRET)])
async def test_wrong_credentials_end_in_packet_41(server: ExchangeServer, key: str, secret: str) -> None:
    """The socket is disconnected without a reason."""
    async with Recorder() as client:
        await client.connect(server)
        await client.join_private(server, key, secret)
        assert not server.joins[-1].ok
        await eventually(lambda: client.reasons == ["server disconnect"])
        assert client.frames == []


async def test_refused_join_takes_about_100_ms(recorder: Recorder) -> None:
    """The wait before ``41`` is the measured one by default."""
    assert Behaviour().refuse_join_s == 0.1


@pytest.mark.parametrize("payload", [{}, {"apiKey": DEMO_KEY}, {"authSignature": "00"}, {"apiKey": 1}])
async def test_private_join_with_missing_fields_is_ignored(
    server: ExchangeServer, recorder: Recorder, payload: dict[str, object]
) -> None:
    """The socket stays open and gets no private frame."""
    await recorder.client.emit("join", {"channelName": wire.PRIVATE_CHANNEL, **payload})
    await eventually(lambda: len(server.joins) == 1)
    assert not server.joins[0].ok
    assert await server.emit(wire.ORDER_EVENT, [{"id": "1"}]) == 0
    await probe(server, recorder)
    assert recorder.reasons == []


async def test_rejected_joins_hit_right_credentials_too(server: ExchangeServer, recorder: Recorder) -> None:
    """``reject_joins`` makes every private join look wrong."""
    server.reject_joins = True
    assert server.reject_joins
    await recorder.join_private(server)
    await eventually(lambda: recorder.reasons == ["server disconnect"])


async def test_any_key_is_accepted_without_credentials() -> None:
    """A server without an account takes every complete private join."""
    async with ExchangeServer(port=0, behaviour=instant(), credentials=None) as server, Recorder() as client:
        await client.connect(server)
        await client.join_private(server, "any", "thing")
        assert server.joins[-1].ok


async def test_malformed_packet_closes_with_1005() -> None:
    """``42nope`` ends the socket after a moment, without a status code."""
    async with (
        ExchangeServer(port=0, behaviour=Behaviour(connect_ack_s=0, malformed_close_s=0.05)) as server,
        RawSocket(server) as raw,
    ):
        await raw.open()
        await raw.ws.send_str("42nope")
        message = await raw.ws.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        await eventually(lambda: server.connections == 0)


async def test_two_depths_on_one_socket_are_two_streams(server: ExchangeServer, recorder: Recorder) -> None:
    """A frame sent to one depth's channel does not come twice."""
    await recorder.join(server, "B-ETH_USDT@orderbook@10-futures", "B-ETH_USDT@orderbook@50-futures")
    assert await server.emit(wire.DEPTH_UPDATE_EVENT, {"s": "ETHUSDT"}, "B-ETH_USDT@orderbook@10-futures") == 1
    assert await server.emit(wire.DEPTH_UPDATE_EVENT, {"s": "ETHUSDT"}, "B-ETH_USDT@orderbook@20-futures") == 0
    assert server.hub.joined("B-ETH_USDT@orderbook@50-futures") == 1


async def test_client_gone_before_the_acknowledgement_is_not_counted() -> None:
    """A socket that leaves during the connect delay never becomes a connection."""
    async with ExchangeServer(port=0, behaviour=Behaviour(connect_ack_s=0.05)) as server:
        async with RawSocket(server) as raw:
            await raw.text()
            await raw.ws.send_str("40")
            await raw.ws.close()
        async with Recorder() as client:
            await client.connect(server)
            await eventually(lambda: server.connections == 1)
